"""Random valid modules of vectors: walks over a stack of types (walk.py) in which every third
value is a v128, through locals, globals, blocks with several parameters, branches, calls and
memory; and that keep more values waiting than a processor has registers.
"""
import smith
import walk
from smith import F32, F64, I32, I64, NUMBERS, leb, sleb

V128 = 0x7b
WEIGHTED = walk.WEIGHTED + [V128] * 12

# Lane types, as extracted, by the opcodes' order: width in lanes.
SPLAT = {15: I32, 16: I32, 17: I32, 18: I64, 19: F32, 20: F64}
EXTRACT = {21: (I32, 16), 22: (I32, 16), 24: (I32, 8), 25: (I32, 8), 27: (I32, 4), 29: (I64, 2),
           31: (F32, 4), 33: (F64, 2)}
REPLACE = {23: (I32, 16), 26: (I32, 8), 28: (I32, 4), 30: (I64, 2), 32: (F32, 4), 34: (F64, 2)}
TESTS = [83, 99, 100, 131, 132, 163, 164, 195, 196]
UNARY = [77, 96, 97, 98, *range(103, 107), 116, 117, 122, *range(124, 128), 128, 129,
         *range(135, 139), 148, 160, 161, *range(167, 171), 192, 193, *range(199, 203), 94, 95,
         224, 225, 227, 236, 237, 239, *range(248, 256)]
BINARY = [14, *range(35, 77), *range(78, 82), 101, 102, *range(110, 116), *range(118, 122), 123,
          130, 133, 134, *range(142, 148), *range(149, 154), *range(155, 160), 174, 177, 181,
          *range(182, 187), *range(188, 192), 206, 209, *range(213, 224), *range(228, 236),
          *range(240, 248)]
SHIFTS = [107, 108, 109, 139, 140, 141, 171, 172, 173, 203, 204, 205]
# opcode: log2 of width
LOADS = {0: 4, 1: 3, 2: 3, 3: 3, 4: 3, 5: 3, 6: 3, 7: 0, 8: 1, 9: 2, 10: 3, 92: 2, 93: 3}
LOAD_LANE, STORE_LANE = [84, 85, 86, 87], [88, 89, 90, 91]


def simd(op, *immediates):
    return b"\xfd" + leb(op) + b"".join(immediates)


class Walker(walk.Walker):
    def type(self):
        return self.rng.choice(WEIGHTED)

    # --- values ---

    def constant(self, t):
        if t != V128:
            return super().constant(t)
        rng = self.rng
        lanes = rng.choice([1, 2, 4, 8])
        some = [rng.choice([0, 1, 0x7f, 0x80, 0xff, rng.randrange(256)]) for _ in range(16)]
        if rng.random() < 0.5:  # alike lanes
            some = some[:lanes] * (16 // lanes)
        if rng.random() < 0.2:  # floats
            some = list(smith.struct.pack("<4f", *(rng.choice(
                [0.0, -0.0, 1.5, -3e9, 3e9, 1e-40, rng.uniform(-9, 9), float("inf")])
                for _ in range(4))))
        return simd(12, bytes(some))

    def lane(self, lanes):
        return bytes([self.rng.randrange(lanes)])

    def operate(self, op, immediates, takes, result=V128):
        self.put(simd(op, immediates), takes, [result])

    def new_vector(self):
        """One more on the stack, often made of a number."""
        kind = self.rng.random()
        if kind < 0.5:
            return self.push(V128)
        if kind < 0.8:
            op = self.rng.choice(list(SPLAT))
            self.have([SPLAT[op]])
            return self.operate(op, b"", 1)
        return self.vector_load()

    def vectors(self, count):
        here = self.here()
        have = 0
        while have < min(count, len(here)) and here[-1 - have] == V128:
            have += 1
        for _ in range(count - have):
            self.new_vector()

    # --- instructions ---

    def op_vector(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.45:
            self.vectors(2)
            self.operate(rng.choice(BINARY), b"", 2)
        elif kind < 0.65:
            self.vectors(1)
            self.operate(rng.choice(UNARY), b"", 1)
        elif kind < 0.75:
            self.vectors(1)
            self.put(self.constant(I32) if rng.random() < 0.5 else self.leaf(I32), 0, [I32])
            self.operate(rng.choice(SHIFTS), b"", 2)
        elif kind < 0.85:
            self.vectors(2)
            self.operate(13, self.shuffle(), 2)
        else:
            self.vectors(3)
            self.operate(82, b"", 3)

    def shuffle(self):
        """Any, or of a kind that processors have an instruction for."""
        rng = self.rng
        width = rng.choice([1, 1, 2, 4, 8])
        lanes = 16 // width
        start = rng.randrange(lanes)
        order = rng.choice([
            [rng.randrange(2 * lanes) for _ in range(lanes)],
            [rng.randrange(lanes) for _ in range(lanes)],
            [start] * lanes,
            [(start + i) % (2 * lanes) for i in range(lanes)],
            [i // 2 + (i % 2) * lanes for i in range(lanes)],
            [lanes // 2 + i // 2 + (i % 2) * lanes for i in range(lanes)],
            [lanes - 1 - i for i in range(lanes)],
            [i + lanes * rng.randrange(2) for i in range(lanes)]])
        return bytes(width * x + b for x in order for b in range(width))

    def op_lane(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.4:
            op = rng.choice(list(EXTRACT))
            t, lanes = EXTRACT[op]
            self.vectors(1)
            return self.operate(op, self.lane(lanes), 1, t)
        if kind < 0.6:
            self.vectors(1)
            return self.operate(rng.choice(TESTS), b"", 1, I32)
        op = rng.choice(list(REPLACE))
        t, lanes = REPLACE[op]
        self.vectors(1)
        self.push(t)
        return self.operate(op, self.lane(lanes), 2)

    def vector_memarg(self, width):
        far = 65536 if self.rng.random() < 0.03 else 1
        return leb(self.rng.randint(0, width)) + leb(self.rng.choice([0, 0, 3, 16, far]))

    def vector_load(self):
        op = self.rng.choice(list(LOADS))
        here = self.here()
        if here and here[-1] == I32 and self.rng.random() < 0.4:
            self.put(b"\x41" + sleb(4095) + b"\x71" + simd(op, self.vector_memarg(LOADS[op])), 1,
                     [V128])
        else:
            self.put(self.address(0) + simd(op, self.vector_memarg(LOADS[op])), 0, [V128])

    def op_vector_memory(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.4:
            return self.vector_load()
        if kind < 0.6:
            lane = rng.randrange(4)
            self.put(self.address(0), 0, [I32])
            self.push(V128)
            return self.put(simd(LOAD_LANE[lane], self.vector_memarg(lane), self.lane(16 >> lane)),
                            2, [V128])
        self.vectors(1)
        return self.keep_vector()

    def keep_vector(self):
        """The top goes to memory, where it will be compared."""
        x = leb(self.new_local(V128))
        at = b"\x41" + sleb(self.rng.randrange(4096))
        if self.rng.random() < 0.3:
            lane = self.rng.randrange(4)
            store = simd(STORE_LANE[lane], self.vector_memarg(lane), self.lane(16 >> lane))
        else:
            store = simd(11, self.vector_memarg(4))
        self.put(b"\x21" + x + at + b"\x20" + x + store, 1)

    def op_pressure(self):
        """More values at once than registers, all of them computed; then back again."""
        if len(self.here()) > 12:
            return
        kinds = self.rng.choice([[I32], [V128], [F64], [I32, V128, F64], [I64, F32, V128]])
        height = len(self.here())
        for _ in range(self.rng.randint(6, 22)):
            t = self.rng.choice(kinds)
            if t == V128:
                self.vectors(0)
                self.new_vector()
                self.operate(self.rng.choice([77, 97, 129, 161, 193]), b"", 1)
            else:
                self.push(t)
                self.push(t)
                self.put(bytes([{I32: 0x6a, I64: 0x7c, F32: 0x92, F64: 0xa0}[t]]), 2, [t])
        if self.rng.random() < 0.4:
            self.op_call()
        while len(self.here()) > height:
            t = self.here()[-1]
            if t == V128 and len(self.here()) > 1 and self.here()[-2] == V128:
                self.operate(self.rng.choice([80, 81, 110, 174, 206]), b"", 2)
            elif t in NUMBERS and len(self.here()) > 1 and self.here()[-2] == t:
                self.put(bytes([{I32: 0x73, I64: 0x85, F32: 0x93, F64: 0xa1}[t]]), 2, [t])
            else:
                self.sink()

    # --- what walk.py does with the other types ---

    def sink(self):
        if self.here()[-1] != V128:
            return super().sink()
        if self.rng.random() < 0.2:
            return self.put(b"\x1a", 1)
        return self.keep_vector()

    def op_select(self):
        here = self.here()
        if not here or here[-1] != V128:
            return super().op_select()
        self.push(V128)
        self.condition([V128, V128])
        return self.put(b"\x1b" if self.rng.random() < 0.7 else bytes([0x1c, 1, V128]), 3, [V128])

    def condition(self, keep=()):
        if keep or self.rng.random() < 0.8:
            return super().condition(keep)
        self.vectors(1)
        return self.operate(self.rng.choice(TESTS), b"", 1, I32)

    def steps(self):
        return (super().steps() + [self.op_vector] * 10 + [self.op_lane] * 4
                + [self.op_vector_memory] * 4 + [self.op_pressure])


class Module(walk.Module):
    def __init__(self, rng):
        super().__init__(rng)

        def some(most):
            return [rng.choice(WEIGHTED) for _ in range(rng.randrange(most))]

        def plain(types):
            """JavaScript cannot call a function with vectors in its type."""
            return [I32 if t == V128 else t for t in types]
        many = rng.random() < 0.3
        self.functions = [(some(16 if many else 6), some(9 if many else 4))
                          for _ in self.functions]
        for i in range(0, len(self.functions), 2):
            params, results = self.functions[i]
            self.functions[i] = (plain(params), plain(results))
        self.signatures = self.imports + self.functions
        self.globals += [(V128, rng.random() < 0.7) for _ in range(rng.randrange(3))]
        self.body = Walker

    def constant(self, t):
        return Walker(self, 0, [], []).constant(t) + b"\x0b"


def generate(rng):
    return Module(rng).encode()
