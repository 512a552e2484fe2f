"""A module without NaNs: behind every instruction that may make one, zero takes its place, in
vectors lane by lane. Which NaN an instruction gives is not specified; what two engines still
differ in after this is something else. (wasm-opt --denan leaves vectors alone.)
"""
from smith import leb

V128, F64, F32 = 0x7b, 0x7c, 0x7d
VECTORS_F32 = {94, *range(103, 107), *range(227, 234)}
VECTORS_F64 = {95, 116, 117, 122, 148, *range(239, 246)}
NUMBERS_F32 = {*range(0x8d, 0x98), 0xb6}
NUMBERS_F64 = {*range(0x9b, 0xa6), 0xbb}
INDEX = {0x08, 0x0c, 0x0d, 0x10, 0x12, 0x14, 0x15, *range(0x20, 0x27), 0x3f, 0x40, 0x41, 0x42, 0xd0,
         0xd2, 0x02, 0x03, 0x04}
TWO_INDICES = {0x11, 0x13}
PREFIXED = {8: 2, 9: 1, 10: 2, 11: 1, 12: 2, 13: 1, 14: 2, 15: 1, 16: 1, 17: 1}


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def number(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    def take(self, count):
        if self.at + count > len(self.data):
            raise IndexError
        self.at += count
        return self.data[self.at - count:self.at]

    def memarg(self):
        if self.number() & 0x40:
            self.number()
        self.number()


def skip_try(r):
    r.number()
    for _ in range(r.number()):
        if r.byte() < 2:
            r.number()
        r.number()


def skip_vector(r):
    """Reads an instruction behind 0xfd; its number."""
    op = r.number()
    if op <= 11 or op in (92, 93):
        r.memarg()
    elif op in (12, 13):
        r.take(16)
    elif op <= 34 and op >= 21:
        r.byte()
    elif 84 <= op <= 91:
        r.memarg()
        r.byte()
    return op


def skip(r, op):
    """Steps over the immediates of op, which has no prefix 0xfd."""
    if op in INDEX:
        r.number()
    elif op in TWO_INDICES:
        r.number()
        r.number()
    elif 0x28 <= op <= 0x3e:
        r.memarg()
    elif op == 0x0e:
        for _ in range(r.number() + 1):
            r.number()
    elif op == 0x1c:
        r.take(r.number())
    elif op == 0x1f:
        skip_try(r)
    elif op == 0x43:
        r.take(4)
    elif op == 0x44:
        r.take(8)
    elif op == 0xfc:
        for _ in range(PREFIXED.get(r.number(), 0)):
            r.number()


def made(r):
    """Reads one instruction: (type, equality) of the NaN that it may make, or None."""
    op = r.byte()
    if op == 0xfd:
        op = skip_vector(r)
        return (V128, b"\xfd\x41") if op in VECTORS_F32 else \
            (V128, b"\xfd\x47") if op in VECTORS_F64 else None
    skip(r, op)
    return (F32, b"\x5b") if op in NUMBERS_F32 else (F64, b"\x61") if op in NUMBERS_F64 else None


def zeroed(type_, equal, local):
    get = b"\x20" + local
    if type_ == V128:
        return b"\x22" + local + get + get + equal + b"\xfd\x4e"
    zero = b"\x43" + bytes(4) if type_ == F32 else b"\x44" + bytes(8)
    return b"\x22" + local + zero + get + get + equal + b"\x1b"


def function(body, params):
    r = Reader(body)
    groups = r.number()
    start, locals_ = r.at, params
    for _ in range(groups):
        locals_ += r.number()
        r.byte()
    declared = body[start:r.at]
    first = {F32: leb(locals_), F64: leb(locals_ + 1), V128: leb(locals_ + 2)}
    out = bytearray()
    while r.at < len(body):
        at = r.at
        found = made(r)
        out += body[at:r.at]
        if found:
            out += zeroed(*found, first[found[0]])
    return leb(groups + 3) + declared + bytes([1, F32, 1, F64, 1, V128]) + bytes(out)


def parameters(content):
    """How many each type has."""
    r = Reader(content)
    counts = []
    for _ in range(r.number()):
        r.byte()
        counts.append(r.number())
        r.take(counts[-1])
        r.take(r.number())
    return counts


def rewrite(module):
    """The module without NaNs; None when it has parts that are not known here."""
    r = Reader(module, 8)
    out = bytearray(module[:8])
    counts, functions = [], []
    try:
        while r.at < len(module):
            kind = r.byte()
            content = r.take(r.number())
            inner = Reader(content)
            if kind == 1:
                counts = parameters(content)
            elif kind == 3:
                functions = [inner.number() for _ in range(inner.number())]
            elif kind == 10:
                bodies = [inner.take(inner.number()) for _ in range(inner.number())]
                bodies = [function(b, counts[t]) for b, t in zip(bodies, functions)]
                content = leb(len(bodies)) + b"".join(leb(len(b)) + b for b in bodies)
            out += bytes([kind]) + leb(len(content)) + content
    except IndexError:
        return None
    return bytes(out)
