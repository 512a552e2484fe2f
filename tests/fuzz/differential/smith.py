"""Random valid modules of WebAssembly 2.0 with what wasm-opt's generator leaves out: tables,
references, bulk operations, blocks with parameters, dead code, typed select, br_table.

Every expression is built for the type that is wanted, so the result is valid by construction.
Loops count in a local of their own; recursion is rare and stops on fuel or stack.
"""
import struct

I32, I64, F32, F64, FUNCREF, EXTERNREF = 0x7f, 0x7e, 0x7d, 0x7c, 0x70, 0x6f
NUMBERS = [I32, I64, F32, F64]
TYPES = NUMBERS + [FUNCREF, EXTERNREF]
LETTER = {I32: "i", I64: "I", F32: "f", F64: "F"}

# result: [(opcode, operands)]
OPERATORS = {
    I32: [(op, [I32, I32]) for op in [*range(0x6a, 0x79), *range(0x46, 0x50)]]
    + [(op, [I64, I64]) for op in range(0x51, 0x5b)]
    + [(op, [F32, F32]) for op in range(0x5b, 0x61)]
    + [(op, [F64, F64]) for op in range(0x61, 0x67)]
    + [(op, [I32]) for op in [0x45, 0x67, 0x68, 0x69, 0xc0, 0xc1]]
    + [(0x50, [I64]), (0xa7, [I64]), (0xa8, [F32]), (0xa9, [F32]), (0xaa, [F64]), (0xab, [F64])]
    + [(0xfc00, [F32]), (0xfc01, [F32]), (0xfc02, [F64]), (0xfc03, [F64])],
    I64: [(op, [I64, I64]) for op in range(0x7c, 0x8b)]
    + [(op, [I64]) for op in [0x79, 0x7a, 0x7b, 0xc2, 0xc3, 0xc4]]
    + [(0xac, [I32]), (0xad, [I32]), (0xae, [F32]), (0xaf, [F32]), (0xb0, [F64]), (0xb1, [F64])]
    + [(0xfc04, [F32]), (0xfc05, [F32]), (0xfc06, [F64]), (0xfc07, [F64])],
    F32: [(op, [F32, F32]) for op in range(0x92, 0x98)] + [(op, [F32]) for op in range(0x8b, 0x92)]
    + [(0xb2, [I32]), (0xb3, [I32]), (0xb4, [I64]), (0xb5, [I64]), (0xb6, [F64]), (0xbe, [I32])],
    F64: [(op, [F64, F64]) for op in range(0xa0, 0xa6)] + [(op, [F64]) for op in range(0x99, 0xa0)]
    + [(0xb7, [I32]), (0xb8, [I32]), (0xb9, [I64]), (0xba, [I64]), (0xbb, [F32]), (0xbf, [I64])],
}
# result: [(opcode, log2 of width)]
LOADS = {I32: [(0x28, 2), (0x2c, 0), (0x2d, 0), (0x2e, 1), (0x2f, 1)],
         I64: [(0x29, 3), (0x30, 0), (0x31, 0), (0x32, 1), (0x33, 1), (0x34, 2), (0x35, 2)],
         F32: [(0x2a, 2)], F64: [(0x2b, 3)]}
STORES = {I32: [(0x36, 2), (0x3a, 0), (0x3b, 1)], I64: [(0x37, 3), (0x3c, 0), (0x3d, 1), (0x3e, 2)],
          F32: [(0x38, 2)], F64: [(0x39, 3)]}


def leb(n):
    out = bytearray()
    while True:
        out.append(n & 0x7f | (0x80 if n > 0x7f else 0))
        n >>= 7
        if not n:
            return bytes(out)


def sleb(n):
    out = bytearray()
    while True:
        byte = n & 0x7f
        n >>= 7
        done = n == (-1 if byte & 0x40 else 0)
        out.append(byte | (0 if done else 0x80))
        if done:
            return bytes(out)


def vector(items):
    return leb(len(items)) + b"".join(items)


def name(text):
    return leb(len(text)) + text.encode()


def opcode(op):
    return bytes([0xfc]) + leb(op & 0xff) if op >= 0xfc00 else bytes([op])


class Function:
    """The body of one function. labels: types that a branch to each open block needs,
    outermost first."""

    def __init__(self, module, index, params, results):
        self.m, self.rng, self.index = module, module.rng, index
        self.params, self.results = params, results
        self.locals = [self.rng.choice(TYPES) for _ in range(self.rng.randrange(6))]
        self.counters = []  # locals that only their loops may set
        self.labels = [results]
        self.size = 0

    # --- expressions ---

    def constant(self, t):
        rng = self.rng
        if t in (I32, I64):
            bits = 32 if t == I32 else 64
            n = rng.choice([rng.randrange(-4, 17), rng.randrange(-70000, 70000),
                            1 << rng.randrange(bits), rng.getrandbits(bits),
                            -1 << rng.randrange(bits), (1 << bits - 1) - 1])
            n = (n + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
            return bytes([0x41 if t == I32 else 0x42]) + sleb(n)
        if t in (F32, F64):
            x = rng.choice([0.0, -0.0, 1.0, -1.5, rng.uniform(-10, 10), rng.uniform(-1e10, 1e10),
                            2.0 ** 31, -2.0 ** 31, 2.0 ** 32, 2.0 ** 63, float("inf"),
                            -float("inf"), 1e-40])
            return struct.pack("<Bf", 0x43, x) if t == F32 else struct.pack("<Bd", 0x44, x)
        if t == FUNCREF and rng.random() < 0.6 and self.m.declared:
            return b"\xd2" + leb(rng.choice(self.m.declared))
        return bytes([0xd0, t])

    def leaf(self, t):
        places = [i for i, x in enumerate(self.params + self.locals) if x == t]
        globals_ = [i for i, (x, _) in enumerate(self.m.globals) if x == t]
        kind = self.rng.random()
        if places and kind < 0.5:
            return b"\x20" + leb(self.rng.choice(places))
        if globals_ and kind < 0.7:
            return b"\x23" + leb(self.rng.choice(globals_))
        return self.constant(t)

    def address(self, depth):
        """Mostly inside the memory, sometimes at its edge or far outside."""
        if self.rng.random() < 0.8:
            return b"\x41" + sleb(self.rng.choice([self.rng.randrange(65536), 65528, 0]))
        return self.expr(I32, depth - 1)

    def memarg(self, width):
        far = 0xffffffff if self.rng.random() < 0.1 else 4
        offset = self.rng.choice([0, 0, 1, 8, 100, 65535, far])
        return leb(self.rng.randint(0, width)) + leb(offset)

    def expr(self, t, depth):
        self.size += 1
        if depth <= 0 or self.size > 400:
            return self.leaf(t)
        choices = [self.leaf, self.block_expr, self.if_expr, self.select_expr, self.call_expr,
                   self.tee_expr, self.dead_expr, self.br_if_expr]
        if t in OPERATORS:
            choices += [self.operator_expr] * 6 + [self.load_expr] * 2
        choices += [self.table_expr] * (3 if t == I32 or t not in OPERATORS else 0)
        chosen = self.rng.choice(choices)
        return chosen(t) if chosen == self.leaf else chosen(t, depth)

    def operator_expr(self, t, depth):
        op, operands = self.rng.choice(OPERATORS[t])
        return b"".join(self.expr(x, depth - 1) for x in operands) + opcode(op)

    def load_expr(self, t, depth):
        op, width = self.rng.choice(LOADS[t])
        return self.address(depth) + bytes([op]) + self.memarg(width)

    def select_expr(self, t, depth):
        values = self.expr(t, depth - 1) + self.expr(t, depth - 1) + self.expr(I32, depth - 1)
        plain = t in NUMBERS and self.rng.random() < 0.5
        return values + (b"\x1b" if plain else bytes([0x1c, 1, t]))

    def tee_expr(self, t, depth):
        places = [i for i, x in enumerate(self.params + self.locals)
                  if x == t and i not in self.counters]
        if not places:
            return self.leaf(t)
        return self.expr(t, depth - 1) + b"\x22" + leb(self.rng.choice(places))

    def block_type(self, params, results):
        if not params and len(results) < 2 and self.rng.random() < 0.7:
            return bytes([results[0] if results else 0x40])
        return sleb(self.m.type_index(params, results))

    def block_expr(self, t, depth):
        """A block with parameters; the value wanted is its last result, others are dropped
        by setting them aside first."""
        params = [self.rng.choice(TYPES) for _ in range(self.rng.randrange(3))]
        inputs = b"".join(self.expr(x, depth - 1) for x in params)
        self.labels.append([t])
        body = b"\x1a" * len(params) + self.stmts(depth - 1) + self.expr(t, depth - 1)
        if self.rng.random() < 0.5:
            body += b"\x0c\x00"
        self.labels.pop()
        return inputs + b"\x02" + self.block_type(params, [t]) + body + b"\x0b"

    def if_expr(self, t, depth):
        condition = self.expr(I32, depth - 1)
        self.labels.append([t])
        arms = [self.stmts(depth - 2) + self.expr(t, depth - 1) for _ in range(2)]
        self.labels.pop()
        return (condition + b"\x04" + self.block_type([], [t]) + arms[0] + b"\x05" + arms[1]
                + b"\x0b")

    def br_if_expr(self, t, depth):
        """A conditional branch out that carries the value."""
        fitting = [i for i, x in enumerate(reversed(self.labels)) if x == [t]]
        if not fitting:
            return self.operator_expr(t, depth) if t in OPERATORS else self.leaf(t)
        return (self.expr(t, depth - 1) + self.expr(I32, depth - 1) + b"\x0d"
                + leb(self.rng.choice(fitting)))

    def call_expr(self, t, depth):
        """A function with several results gives its last; the rest are parked in a block."""
        indirect = self.rng.random() < 0.4 and self.m.func_tables
        fitting = [(i, s) for i, s in self.m.callable(self.index) if s[1] and s[1][-1] == t]
        if not fitting:
            return self.leaf(t)
        i, (params, results) = self.rng.choice(fitting)
        code = b"".join(self.expr(x, depth - 1) for x in params)
        if indirect:
            call = (code + self.small(depth) + b"\x11" + leb(self.m.type_index(params, results))
                    + leb(self.rng.choice(self.m.func_tables)))
        else:
            call = code + b"\x10" + leb(i)
        if len(results) == 1:
            return call
        local = self.new_local(t)
        return (call + b"\x21" + leb(local) + b"\x1a" * (len(results) - 1)
                + b"\x20" + leb(local))

    def new_local(self, t):
        self.locals.append(t)
        return len(self.params) + len(self.locals) - 1

    def dead_expr(self, t, depth):
        """Code after an unconditional branch, where the stack may hold anything."""
        self.labels.append([t])
        leave = self.rng.choice([b"\x0c\x00", b"\x0e\x02\x00\x00\x00"])
        if leave[0] == 0x0e:
            leave = self.expr(I32, depth - 1) + leave
        junk = self.rng.choice([b"", b"\x1a", b"\x6a\x1a", b"\x1b\x1a", b"\x00",
                                b"\x45\x0d\x00\x1a", b"\x92\x1a\x1a"])
        code = self.expr(t, depth - 1) + leave + junk
        code += b"" if self.rng.random() < 0.5 else self.leaf(t)
        self.labels.pop()
        return b"\x02" + self.block_type([], [t]) + code + b"\x0b"

    def table_expr(self, t, depth):
        rng = self.rng
        if t == I32:
            table = rng.randrange(len(self.m.tables))
            more = b"\x41" + sleb(rng.choice([0, 1, 2, 3, 99]))
            return rng.choice([
                lambda: b"\xfc\x10" + leb(table),
                lambda: self.expr(rng.choice([FUNCREF, EXTERNREF]), depth - 1) + b"\xd1",
                lambda: (self.expr(self.m.tables[table][0], depth - 1) + more + b"\xfc\x0f"
                         + leb(table)),
                lambda: b"\x3f\x00",
                lambda: more + b"\x40\x00"])()
        fitting = [i for i, (x, _, _) in enumerate(self.m.tables) if x == t]
        if not fitting:
            return self.leaf(t)
        return self.small(depth) + b"\x25" + leb(rng.choice(fitting))

    def small(self, depth):
        if self.rng.random() < 0.85:
            return b"\x41" + sleb(self.rng.randrange(12))
        return self.expr(I32, depth - 1)

    def three_small(self, depth):
        return self.small(depth) + self.small(depth) + self.small(depth)

    # --- statements ---

    def stmts(self, depth):
        count = self.rng.randrange(3) if depth > 0 else 0
        return b"".join(self.stmt(depth) for _ in range(count))

    def stmt(self, depth):
        kinds = [self.set_stmt, self.store_stmt, self.loop_stmt, self.bulk_stmt,
                 self.table_stmt, self.switch_stmt, self.drop_stmt, self.return_stmt]
        return self.rng.choice(kinds)(depth)

    def drop_stmt(self, depth):
        return self.expr(self.rng.choice(TYPES), depth) + b"\x1a"

    def set_stmt(self, depth):
        places = [(0x21, i, x) for i, x in enumerate(self.params + self.locals)
                  if i not in self.counters]
        places += [(0x24, i, x) for i, (x, mutable) in enumerate(self.m.globals) if mutable]
        if not places:
            return b"\x01"
        op, i, t = self.rng.choice(places)
        return self.expr(t, depth - 1) + bytes([op]) + leb(i)

    def store_stmt(self, depth):
        t = self.rng.choice(NUMBERS)
        op, width = self.rng.choice(STORES[t])
        value = self.expr(t, depth - 1)
        if t in (F32, F64):
            value = self.without_nan(value, t)
        return self.address(depth) + value + bytes([op]) + self.memarg(width)

    def without_nan(self, value, t):
        """0 in place of a NaN, whose bits are not specified and would show in the memory."""
        local = leb(self.new_local(t))
        zero = b"\x43" + bytes(4) if t == F32 else b"\x44" + bytes(8)
        equal = b"\x5b" if t == F32 else b"\x61"
        return value + b"\x22" + local + zero + (b"\x20" + local) * 2 + equal + b"\x1b"

    def loop_stmt(self, depth):
        """loop: counter -= 1; body; again while counter != 0. With a parameter at times."""
        counter = self.new_local(I32)
        self.counters.append(counter)
        carried = [self.rng.choice(TYPES)] if self.rng.random() < 0.4 else []
        head = b"\x41" + sleb(self.rng.randint(1, 6)) + b"\x21" + leb(counter)
        head += b"".join(self.expr(x, depth - 1) for x in carried)
        self.labels.append(carried)
        body = b"\x1a" * len(carried) + self.stmts(depth - 1)
        body += b"\x20" + leb(counter) + b"\x41\x7f\x6a\x21" + leb(counter)
        body += b"".join(self.expr(x, depth - 1) for x in carried)
        body += b"\x20" + leb(counter) + b"\x0d\x00"
        self.labels.pop()
        kind = self.block_type(carried, carried)
        return head + b"\x03" + kind + body + b"\x0b" + b"\x1a" * len(carried)

    def bulk_stmt(self, depth):
        choices = [lambda: (self.address(depth) + self.address(depth) + self.small(depth)
                            + b"\xfc\x0a\x00\x00"),
                   lambda: (self.address(depth) + self.expr(I32, 0) + self.small(depth)
                            + b"\xfc\x0b\x00")]
        if self.m.datas:
            data = leb(self.rng.randrange(self.m.datas))
            choices += [lambda: self.address(depth) + self.small(depth) + self.small(depth)
                        + b"\xfc\x08" + data + b"\x00", lambda: b"\xfc\x09" + data]
        return self.rng.choice(choices)()

    def table_stmt(self, depth):
        rng = self.rng
        at = rng.randrange(len(self.m.tables))
        t = self.m.tables[at][0]
        alike = [i for i, (x, _, _) in enumerate(self.m.tables) if x == t]
        choices = [lambda: self.small(depth) + self.expr(t, depth - 1) + b"\x26" + leb(at),
                   lambda: self.small(depth) + self.expr(t, depth - 1) + self.small(depth)
                   + b"\xfc\x11" + leb(at),
                   lambda: self.three_small(depth) + b"\xfc\x0e" + leb(at) + leb(rng.choice(alike))]
        segments = [i for i, x in enumerate(self.m.elems) if x == t]
        if segments:
            choices.append(lambda: self.three_small(depth) + b"\xfc\x0c" + leb(rng.choice(segments))
                           + leb(at))
        if self.m.elems:
            choices.append(lambda: b"\xfc\x0d" + leb(rng.randrange(len(self.m.elems))))
        return rng.choice(choices)()

    def switch_stmt(self, depth):
        """Nested blocks and a br_table into them."""
        count = self.rng.randint(1, 5)
        self.labels += [[]] * count
        code = self.small(depth) + b"\x0e" + vector(
            [leb(self.rng.randrange(count)) for _ in range(self.rng.randrange(8))])
        code += leb(self.rng.randrange(count))
        for _ in range(count):
            self.labels.pop()
            code = b"\x02\x40" + code + b"\x0b" + self.set_stmt(min(depth - 1, 1))
        return code

    def return_stmt(self, depth):
        """if (rare) return values"""
        condition = self.expr(I32, depth - 1)
        self.labels.append([])
        values = b"".join(self.expr(t, depth - 1) for t in self.results)
        self.labels.pop()
        leave = b"\x0f" if self.rng.random() < 0.5 else b"\x0c" + leb(len(self.labels))
        return condition + b"\x41\x0d\x46\x04\x40" + values + leave + b"\x0b"

    def code(self):
        depth = self.rng.randint(1, 5)
        body = b"".join(self.stmt(depth) for _ in range(self.rng.randrange(5)))
        body += b"".join(self.expr(t, depth) for t in self.results)
        declared = vector([b"\x01" + bytes([t]) for t in self.locals])
        body = declared + body + b"\x0b"
        return leb(len(body)) + body


def limits(low, most):
    return b"\x00" + leb(low) if most is None else b"\x01" + leb(low) + leb(max(low, most))


def table_type(t, low, most):
    return bytes([t]) + limits(low, most)


class Module:
    table_imports = global_imports = 0

    def __init__(self, rng):
        self.rng = rng
        self.body = Function
        self.types = []

        def some(most):
            return [rng.choice(TYPES) for _ in range(rng.randrange(most))]
        self.imports = [(some(3), some(2)) for _ in range(rng.randrange(3))]
        self.functions = [(some(4), some(3)) for _ in range(rng.randint(1, 8))]
        self.signatures = self.imports + self.functions
        self.tables = [(rng.choice([FUNCREF, FUNCREF, EXTERNREF]), rng.randrange(12),
                        rng.choice([None, 12, 40])) for _ in range(rng.randint(1, 3))]
        self.func_tables = [i for i, (t, _, _) in enumerate(self.tables) if t == FUNCREF]
        self.globals = [(rng.choice(TYPES), rng.random() < 0.7) for _ in range(rng.randrange(7))]
        self.elems = []
        self.datas = rng.randrange(3)
        self.declared = sorted({rng.randrange(len(self.signatures)) for _ in range(6)})

    def type_index(self, params, results):
        key = (tuple(params), tuple(results))
        if key not in self.types:
            self.types.append(key)
        return self.types.index(key)

    def callable(self, caller):
        """Later functions and imports; now and then any, which may recurse."""
        all_of = enumerate(self.signatures)
        if self.rng.random() < 0.03:
            return list(all_of)
        return [(i, s) for i, s in all_of if i < len(self.imports) or i > caller]

    def constant(self, t):
        return Function(self, 0, [], []).constant(t) + b"\x0b"

    def element_section(self):
        """Active, passive and declarative segments in all eight encodings that 2.0 has."""
        out = []
        for _ in range(self.rng.randrange(4)):
            count = self.rng.randrange(5)
            functions = vector([leb(self.rng.choice(self.declared)) for _ in range(count)])
            kind = self.rng.choice([0, 1, 2, 3, 4, 5, 6, 7])
            table = self.rng.randrange(len(self.tables)) if kind in (2, 6) else 0
            t = self.tables[table][0] if kind in (0, 2, 4, 6) else FUNCREF
            if kind in (5, 7, 6):
                t = t if kind == 6 else self.rng.choice([FUNCREF, EXTERNREF])
            if t != FUNCREF and kind not in (5, 6, 7):
                continue
            exprs = vector([self.constant(t) for _ in range(count)])
            last = max(1, self.tables[table][1] - count + 1)
            offset = b"\x41" + sleb(self.rng.randrange(last)) + b"\x0b"
            out.append(leb(kind) + {
                0: lambda: offset + functions, 1: lambda: b"\x00" + functions,
                2: lambda: leb(table) + offset + b"\x00" + functions,
                3: lambda: b"\x00" + functions,
                4: lambda: offset + exprs, 5: lambda: bytes([t]) + exprs,
                6: lambda: leb(table) + offset + bytes([t]) + exprs,
                7: lambda: bytes([t]) + exprs}[kind]())
            self.elems.append(t)
        out.append(b"\x03\x00" + vector([leb(i) for i in self.declared]))
        self.elems.append(FUNCREF)
        return out

    def data_section(self):
        out = []
        for _ in range(self.datas):
            content = self.rng.randbytes(self.rng.randrange(40))
            block = leb(len(content)) + content
            offset = b"\x41" + sleb(self.rng.randrange(65000)) + b"\x0b"
            memory = leb(self.data_memory())
            out.append(self.rng.choice([b"\x00" + offset, b"\x01", b"\x02" + memory + offset])
                       + block)
        return out

    # --- what exceptions.py has more of ---

    def import_name(self, i):
        return name("host") + name(f"f{i}")

    def other_imports(self):
        return []

    def other_exports(self):
        return []

    def memory_section(self):
        return vector([b"\x01\x01\x03"])

    def tag_section(self):
        return None

    def data_memory(self):
        return 0

    def encode(self):
        rng = self.rng
        first = len(self.imports)
        imports = [self.import_name(i) + b"\x00" + leb(self.type_index(*s))
                   for i, s in enumerate(self.imports)] + self.other_imports()
        functions = [leb(self.type_index(*s)) for s in self.functions]
        tables = [table_type(*x) for x in self.tables[self.table_imports:]]
        globals_ = [bytes([t, mutable]) + self.constant(t)
                    for t, mutable in self.globals[self.global_imports:]]
        exports = [name(f"f{i}") + b"\x00" + leb(first + i) for i in range(len(self.functions))]
        exports += [name(f"t{i}") + b"\x01" + leb(i) for i in range(len(self.tables))]
        exports += [name("memory") + b"\x02\x00"]
        exports += [name(f"g{i}") + b"\x03" + leb(i) for i in range(len(self.globals))]
        exports += self.other_exports()
        elems, datas = self.element_section(), self.data_section()
        code = [self.body(self, first + i, *s).code() for i, s in enumerate(self.functions)]
        start = [i for i, s in enumerate(self.signatures) if s == ([], [])]
        tags = self.tag_section()
        types = [b"\x60" + vector([bytes([t]) for t in p]) + vector([bytes([t]) for t in r])
                 for p, r in self.types]
        out = b"\0asm\x01\0\0\0"
        started = leb(start[0]) if start and rng.random() < 0.3 else None
        sections = [(1, vector(types)), (2, vector(imports)), (3, vector(functions)),
                    (4, vector(tables)), (5, self.memory_section()), (13, tags), (6, vector(globals_)),
                    (7, vector(exports)), (8, started), (9, vector(elems)),
                    (12, leb(len(datas))), (10, vector(code)), (11, vector(datas))]
        for kind, content in sections:
            if content is not None:
                out += bytes([kind]) + leb(len(content)) + content
        return out


def generate(rng):
    return Module(rng).encode()
