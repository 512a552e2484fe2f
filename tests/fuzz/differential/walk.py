"""Random valid modules whose bodies are walks over a stack of types.

smith.py builds trees: every operand is used right after it was made, and nothing lies below a
block. A compiler that holds values back (locals, constants, the last result) until somebody
needs them goes wrong where that is not so. Here any instruction that fits what is on the
stack may come next: values wait below blocks, loops, calls and branches, locals change while
their old content is on the stack, branches of all three kinds take several values along and
leave the rest, and blocks take what happens to lie there as parameters.

Every loop counts in a local of its own, which all branches back to it go by.
"""
import smith
from smith import EXTERNREF, F32, F64, FUNCREF, I32, I64, NUMBERS, leb, opcode, sleb, vector

WEIGHTED = [I32] * 9 + [I64] * 3 + [F64] * 3 + [F32] * 2 + [FUNCREF, EXTERNREF]
TRAPPING = {*range(0x6d, 0x71), *range(0x7f, 0x83), *range(0xa8, 0xac), *range(0xae, 0xb2)}

# operands: [(opcode, result)]
BY_OPERANDS = {}
for _result, _rows in smith.OPERATORS.items():
    for _op, _operands in _rows:
        BY_OPERANDS.setdefault(tuple(_operands), []).append((_op, _result))


class Label:
    """height: values below the block's parameters. counter: of a loop, with how it counts."""

    def __init__(self, kind, params, results, height, counter=None):
        self.kind, self.params, self.results = kind, params, results
        self.height, self.counter, self.counted = height, counter, None

    def takes(self):
        return self.params if self.kind == "loop" else self.results


class Walker(smith.Function):
    """One body. stack: types of all values; blocks: open labels, outermost first."""

    def __init__(self, module, index, params, results):
        super().__init__(module, index, params, results)
        self.locals = [self.type() for _ in range(self.rng.choice([0, 1, 3, 6, 40]))]
        self.stack, self.out, self.dead = [], bytearray(), False
        self.blocks = [Label("func", [], results, 0)]
        self.left = self.rng.choice([8, 30, 80, 200])
        self.recent = None  # local

    def type(self):
        return self.rng.choice(WEIGHTED)

    def here(self):
        return self.stack[self.blocks[-1].height:]

    def put(self, code, takes=0, gives=()):
        self.out += code
        del self.stack[len(self.stack) - takes:]
        self.stack += gives

    def push(self, t):
        """Often the local that was used last: what an accumulator still has."""
        code = self.leaf(t)
        if self.recent is not None and self.local_type(self.recent) == t and \
                self.rng.random() < 0.4:
            code = b"\x20" + leb(self.recent)
        elif code[0] == 0x20:
            self.recent = code[1] if len(code) == 2 else None
        self.put(code, 0, [t])

    def local_type(self, x):
        return (self.params + self.locals)[x]

    def push_all(self, types):
        for t in types:
            self.push(t)

    def have(self, types):
        """Makes `types` the top of the stack; often they are there already."""
        here = self.here()
        if len(here) >= len(types) and here[len(here) - len(types):] == types and types:
            return
        for known in range(len(types) - 1, 0, -1):
            if len(here) >= known and here[len(here) - known:] == types[:known]:
                self.push_all(types[known:])
                return
        self.push_all(types)

    def settable(self, t):
        return [i for i, x in enumerate(self.params + self.locals)
                if x == t and i not in self.counters]

    # --- straight on ---

    def op_push(self):
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            self.push(self.type())

    def op_flood(self):
        """More locals at once than are held back."""
        if len(self.here()) < 10 and self.rng.random() < 0.3 and self.params + self.locals:
            for _ in range(36):
                x = self.rng.randrange(len(self.params + self.locals))
                self.put(b"\x20" + leb(x), 0, [self.local_type(x)])
            self.op_change()

    def op_operate(self):
        here = self.here()
        for count in self.rng.sample([1, 2], 2):
            rows = BY_OPERANDS.get(tuple(here[len(here) - count:])) if len(here) >= count else None
            if not rows:
                continue
            op, result = self.rng.choice(rows)
            if op in TRAPPING and self.rng.random() < 0.9:
                continue
            self.put(opcode(op), count, [result])
            return
        self.op_push()

    def op_mixed(self):
        """An operand that was there and a new one."""
        here = self.here()
        if here and here[-1] in NUMBERS:
            self.push(here[-1])
        self.op_operate()

    def op_set(self):
        here = self.here()
        places = self.settable(here[-1]) if here else []
        if not places:
            return self.op_push()
        self.recent = x = self.rng.choice(places)
        if self.rng.random() < 0.5:
            self.put(b"\x22" + leb(x))
        else:
            self.put(b"\x21" + leb(x), 1)

    def op_change(self):
        """A local gets a new value while its old one may be on the stack."""
        x = self.rng.choice([i for i in range(len(self.params + self.locals))
                             if i not in self.counters] or [None])
        if x is None:
            return self.op_push()
        t = self.local_type(x)
        self.recent = x
        if self.rng.random() < 0.5:
            self.put(b"\x20" + leb(x), 0, [t])
        if t == I32 and self.rng.random() < 0.6:
            self.put(b"\x20" + leb(x) + b"\x41" + sleb(self.rng.randrange(-3, 4))
                     + self.rng.choice([b"\x6a", b"\x6b", b"\x71", b"\x74"]), 0, [t])
        else:
            self.push(t)
        self.put(self.rng.choice([b"\x21", b"\x21", b"\x22"]) + leb(x), 1)
        if self.out[-1 - len(leb(x))] == 0x22:
            self.stack.append(t)

    def op_idiom(self):
        """What the engine has one instruction for, in several orders and with the same local
        in several places."""
        rng = self.rng
        t = rng.choice([I32, I32, I64, F64, F32])
        count = rng.choice([2, 3, 3, 4])
        for _ in range(count):
            self.push(t)
            if rng.random() < 0.3 and t == I32:
                self.masked_load(t)
        some = {I32: [0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x76, 0x77],
                I64: [0x7c, 0x7d, 0x7e, 0x83, 0x84], F64: [0xa0, 0xa1, 0xa2],
                F32: [0x92, 0x93, 0x94]}[t]
        for _ in range(count - 1):
            self.put(bytes([rng.choice(some)]), 2, [t])
            if t in (F32, F64) and rng.random() < 0.2:
                self.put(self.address(0) + bytes([0x2a if t == F32 else 0x2b, 0, 0])
                         + bytes([rng.choice(some)]))
        if t == I32 and rng.random() < 0.2:
            self.masked_load(rng.choice(NUMBERS))

    def op_global(self):
        here = self.here()
        fitting = [i for i, (t, mutable) in enumerate(self.m.globals)
                   if mutable and here and t == here[-1]]
        if fitting:
            return self.put(b"\x24" + leb(self.rng.choice(fitting)), 1)
        return self.op_push()

    def op_drop(self):
        if self.here():
            self.sink()

    def sink(self):
        """Drops the top, or puts it where it will be compared."""
        t = self.here()[-1]
        if t not in NUMBERS or self.rng.random() < 0.3:
            return self.put(b"\x1a", 1)
        local = leb(self.new_local(t))
        value = b"\x20" + local
        if t in (F32, F64):
            value = self.without_nan(value, t)
        store = bytes([{I32: 0x36, I64: 0x37, F32: 0x38, F64: 0x39}[t], 0, 0])
        at = b"\x41" + sleb(self.rng.randrange(4096))
        return self.put(b"\x21" + local + at + value + store, 1)

    def op_select(self):
        here = self.here()
        t = here[-1] if here else I32
        if not here:
            self.push(t)
        self.push(t)
        self.condition([t, t])
        plain = t in NUMBERS and self.rng.random() < 0.7
        self.put(b"\x1b" if plain else bytes([0x1c, 1, t]), 3, [t])

    def condition(self, keep=()):
        """An i32 on the stack: what is there, a comparison, a bit, a load, a tree. What is there
        may be used up, but for values of the types `keep` at the top."""
        kind, here = self.rng.random(), self.here()
        below = here[:-1]
        if here and here[-1] == I32 and below[len(below) - len(keep):] == list(keep) and \
                len(below) >= len(keep) and kind < 0.3:
            return
        if kind < 0.6:
            t = self.rng.choice(NUMBERS)
            if keep or not here or here[-1] != t or self.rng.random() < 0.5:
                self.push(t)
            if self.rng.random() < 0.4:
                self.put(self.constant(t), 0, [t])
            else:
                self.push(t)
            first = {I32: 0x46, I64: 0x51, F32: 0x5b, F64: 0x61}[t]
            op = first + self.rng.choice([0, 1, self.rng.randrange(10 if t in (I32, I64) else 6)])
            self.put(bytes([op]), 2, [I32])
        elif kind < 0.7:
            self.push(I32)
            self.put(b"\x41" + sleb(1 << self.rng.randrange(6)) + b"\x71")
        elif kind < 0.8:
            self.push(I32)
            self.masked_load(I32)
        elif kind < 0.9:
            self.labels = [None if x.kind == "loop" else x.results for x in self.blocks]
            self.put(self.expr(I32, self.rng.randint(1, 2)), 0, [I32])
        else:
            self.push(I32)
        if self.rng.random() < 0.3:
            self.put(self.rng.choice([b"\x45", b"\x41\x05\x46", b"\x41\x00\x47",
                                      b"\x41\x07\x71", self.leaf(I32) + b"\x46",
                                      self.leaf(I32) + b"\x47"]))

    # --- memory, tables, calls ---

    def masked_load(self, t):
        """The top as an address inside of the first page."""
        op, width = self.rng.choice(smith.LOADS[t])
        add = b"\x41" + sleb(self.rng.randrange(0, 3000, 7))
        form = self.rng.choice([b"", b"\x41\x08\x6a", b"\x41\x03\x74", add + b"\x6a",
                                b"\x41\x02\x74" + add + b"\x6a"])
        places = self.settable(I32)
        if places and self.rng.random() < 0.5:  # a sum of locals, scaled at times
            x, y = leb(self.rng.choice(places)), leb(self.rng.choice(places))
            mask = b"\x41" + sleb(4095) + b"\x71\x21"
            other = self.rng.choice([b"", b"\x3f\x00\x1a"])  # takes the accumulator away
            form = (mask + x + b"\x20" + y + mask + y + other + b"\x20" + x
                    + self.rng.choice([b"\x20" + y + b"\x6a", b"\x41\x03\x74\x20" + y + b"\x6a",
                                       b"\x41" + sleb(self.rng.choice([1, 2, 4, 33, -31]))
                                       + b"\x74\x20" + y + b"\x6a", b"", b"", b""]))
        offset = self.rng.choice([0, 4, 1000, 20000, 65530 if self.rng.random() < 0.1 else 8,
                                  65540 if self.rng.random() < 0.3 else 0])
        self.put(b"\x41" + sleb(4095) + b"\x71" + form + bytes([op])
                 + leb(self.rng.randint(0, width)) + leb(offset), 1, [t])

    def op_load(self):
        t = self.rng.choice(NUMBERS)
        here = self.here()
        if here and here[-1] == I32 and self.rng.random() < 0.7:
            self.masked_load(t)
        else:
            op, width = self.rng.choice(smith.LOADS[t])
            self.put(self.address(0) + bytes([op]) + self.memarg(width), 0, [t])

    def op_store(self):
        here = self.here()
        t = here[-1] if here and here[-1] in NUMBERS else I32
        op, width = self.rng.choice(smith.STORES[t])
        if here and here[-1] == t and self.rng.random() < 0.7:
            local = leb(self.new_local(t))
            self.put(b"\x21" + local, 1)
            value = b"\x20" + local
        else:
            value = self.leaf(t)
        if t in (F32, F64):
            value = self.without_nan(value, t)
        at = b"\x41" + sleb(self.rng.randrange(4096))
        places = self.settable(I32)
        if t == I32 and places and self.rng.random() < 0.3:
            x = leb(self.rng.choice(places))
            return self.put(b"\x20" + x + b"\x41" + sleb(4095) + b"\x71\x22" + x + b"\x20" + x
                            + bytes([op, 0, 4]))
        here = self.here()
        if here and here[-1] == I32 and self.rng.random() < 0.5:
            at = b"\x41" + sleb(4095) + b"\x71"
            self.stack.pop()
        self.put(at + value + bytes([op]) + self.memarg(width) if self.rng.random() < 0.1
                 else at + value + bytes([op, 0]) + leb(self.rng.choice([0, 8])))

    def op_memory(self):
        if self.rng.random() < 0.5:
            self.put(b"\x3f\x00", 0, [I32])
        else:
            self.put(b"\x41" + sleb(self.rng.choice([0, 1, 1, 2, 70000])) + b"\x40\x00", 0, [I32])

    def op_table(self):
        here = self.here()
        if here and here[-1] in (FUNCREF, EXTERNREF):
            t = here[-1]
            tables = [i for i, (x, _, _) in enumerate(self.m.tables) if x == t]
            kind = self.rng.random()
            if kind < 0.4 or not tables:
                return self.put(b"\xd1", 1, [I32])
            table = leb(self.rng.choice(tables))
            if kind < 0.6:
                more = b"\x41" + sleb(self.rng.randrange(3))
                return self.put(more + b"\xfc\x0f" + table, 1, [I32])
            local = leb(self.new_local(t))
            return self.put(b"\x21" + local + self.small(0) + b"\x20" + local + b"\x26" + table, 1)
        if self.rng.random() < 0.5:
            return self.put(self.table_stmt(0))
        return self.put(self.bulk_stmt(0))

    def op_call(self):
        callable_ = [(i, s) for i, s in self.m.callable(self.index)]
        if not callable_:
            return self.op_push()
        here = self.here()
        fitting = [(i, s) for i, s in callable_ if s[0] and len(here) >= len(s[0])
                   and here[len(here) - len(s[0]):] == s[0]]
        i, (params, results) = self.rng.choice(fitting or callable_)
        self.have(params)
        if self.m.func_tables and self.rng.random() < 0.15:
            self.put(self.small(0) + b"\x11" + leb(self.m.type_index(params, results))
                     + leb(self.rng.choice(self.m.func_tables)), len(params), results)
        else:
            self.put(b"\x10" + leb(i), len(params), results)

    # --- blocks ---

    def op_block(self):
        if len(self.blocks) > 7:
            return self.op_end()
        kind = self.rng.choice(["block", "block", "loop", "if", "if"])
        counter = None
        if kind == "loop":
            counter = self.new_local(I32)
            self.counters.append(counter)
            self.put(b"\x41" + sleb(self.rng.randint(1, 4)) + b"\x21" + leb(counter))
            limit = self.new_local(I32)
            self.counters.append(limit)
            self.put(b"\x41" + sleb(self.rng.randint(2, 6)) + b"\x21" + leb(limit))
        if kind == "if":
            self.condition()
            self.stack.pop()
        here = self.here()
        count = min(len(here), self.rng.choice([0, 0, 1, 1, 2, 3, 6]))
        params = here[len(here) - count:]
        results = [self.type() for _ in range(self.rng.choice([0, 1, 1, 2, 3]))]
        if self.rng.random() < 0.3:
            results = list(params)
        if kind == "if":
            self.stack.append(I32)
        code = {"block": b"\x02", "loop": b"\x03", "if": b"\x04"}[kind]
        self.put(code + self.block_type(params, results), 1 if kind == "if" else 0)
        self.blocks.append(Label(kind, params, results, len(self.stack) - count, counter))
        return None

    def op_end(self):
        label = self.blocks[-1]
        if label.kind == "func":
            return self.op_push()
        return self.finish(label)

    def finish(self, label):
        """Makes the stack fit, then else or end."""
        here = self.here()
        if not self.dead:
            same = 0
            while same < min(len(here), len(label.results)) and here[same] == label.results[same]:
                same += 1
            while len(self.here()) > same:
                self.sink()
            self.push_all(label.results[same:])
        self.dead = False
        if label.kind == "if" and (label.params != label.results or self.rng.random() < 0.7):
            self.out += b"\x05"
            label.kind = "else"
            self.stack[label.height:] = label.params
        else:
            self.out += b"\x0b"
            self.blocks.pop()
            self.stack[label.height:] = label.results

    # --- branches ---

    def depth_of(self, label):
        return len(self.blocks) - 1 - self.blocks.index(label)

    def count_down(self, label):
        """An i32 that is not 0 while the loop may go on: its counter goes down from at most 4, or
        up to a number or the local behind it, both at most 6."""
        counter, limit = leb(label.counter), leb(label.counter + 1)
        get, tee = b"\x20" + counter, b"\x22" + counter
        less = get + self.rng.choice([b"\x41\x7f\x6a", b"\x41\x01\x6b"]) + tee
        more = get + self.rng.choice([b"\x41\x01\x6a", b"\x41\x7f\x6b"]) + tee
        number = b"\x41" + sleb(self.rng.randint(4, 6))
        ways = [less + b"\x41\x00\x4a", less + b"\x41\x01\x4e", less + b"\x41\x00\x48\x45"]
        label.counted = label.counted or self.rng.choice(["once", "often"])
        if label.counted == "once":  # a second one might step over the end
            ways = [less, less + b"\x41\x00\x47", less + b"\x45\x45", more + number + b"\x48",
                     more + number + b"\x49", more + b"\x20" + limit + b"\x48",
                     more + b"\x20" + limit + b"\x49", more + get + b"\x47", more + get + b"\x48",
                     b"\x20" + limit + more + b"\x4a", more + b"\x41\x7b\x48",
                     more + b"\x41\x7b\x4b", more + number + b"\x4a", less + b"\x41\x7b\x48"]
        self.put(self.rng.choice(ways), 0, [I32])

    def reachable(self):
        """Labels that may be branched to now: not loops that count their turns in one place."""
        return [x for x in self.blocks if x.counted != "once"]

    def op_br_if(self):
        label = self.rng.choice(self.reachable())
        self.have(label.takes())
        if label.kind == "loop":
            self.count_down(label)
        else:
            self.condition(label.takes())
        self.put(b"\x0d" + leb(self.depth_of(label)), 1)

    def op_leave(self):
        """br, br_table or return, often as an arm of an if, then dead code."""
        if self.rng.random() < 0.7 and len(self.blocks) < 8:
            self.condition()
            self.put(b"\x04\x40", 1)
            self.blocks.append(Label("if", [], [], len(self.stack)))
        labels = [x for x in self.blocks if x.kind != "loop"]
        label = self.rng.choice(labels)
        kind = self.rng.random()
        loops = [x for x in self.reachable() if x.kind == "loop"]
        if loops and kind < 0.3:
            self.leave_by_loop(self.rng.choice(loops), labels)
        elif kind < 0.65:
            self.leave_by_table(label, labels)
        elif kind < 0.95:
            self.have(label.takes())
            self.put(b"\x0c" + leb(self.depth_of(label)))
        elif kind < 0.99:
            self.have(self.results)
            self.put(b"\x0f")
        else:
            self.put(b"\x00")
        self.die()

    def leave_by_loop(self, loop, labels):
        """A table that leads back into the loop while it may go on."""
        fitting = [x for x in labels if x.takes() == loop.takes()]
        self.have(loop.takes())
        self.count_down(loop)
        back = leb(self.depth_of(loop))
        if fitting:
            other = leb(self.depth_of(self.rng.choice(fitting)))
            if self.rng.random() < 0.5:
                self.put(b"\x45\x0e\x01" + back + other, 1)
            else:  # counts below 0 leave too, which count_down turns into 0 or 1 or is once
                self.put(b"\x41\x00\x47\x0e\x02" + other + back + other, 1)
        else:
            self.put(b"\x0d" + back + b"\x0c" + leb(self.depth_of(self.blocks[-1]))
                     if not self.blocks[-1].takes() and self.blocks[-1].kind != "loop"
                     else b"\x0d" + back + b"\x00", 1)

    def leave_by_table(self, label, labels):
        fitting = [leb(self.depth_of(x)) for x in labels if x.takes() == label.takes()]
        self.have(label.takes())
        self.push(I32)
        if self.rng.random() < 0.6:
            self.put(b"\x41\x03\x71")
        targets = [self.rng.choice(fitting) for _ in range(self.rng.randrange(5))]
        self.put(b"\x0e" + vector(targets) + self.rng.choice(fitting), 1)

    def die(self):
        """Code that cannot be reached, on a stack that may hold anything, up to the block's end."""
        label = self.blocks[-1]
        self.dead = True
        del self.stack[label.height:]
        for _ in range(self.rng.choice([0, 0, 1, 2])):
            x = self.rng.randrange(len(self.params + self.locals) or 1)
            other = self.rng.choice(self.blocks)
            self.out += self.rng.choice([
                b"\x1a", b"\x6a\x1a", b"\x1b\x1a", b"\xd1\x1a", b"\xa0\xaa\x1a", b"\x00",
                b"\x28\x02\x00\x1a", b"\x40\x00\x1a", b"\x02\x40\x0b", b"\x04\x40\x05\x0b",
                b"\x41\x05\x0d" + leb(self.depth_of(other)) + b"\x1a" * len(other.takes()),
                b"\x20" + leb(x) + b"\x1a" if self.params + self.locals else b"",
                b"\x21" + leb(x) if self.params + self.locals and x not in self.counters else b""])
        keep = self.rng.randint(0, len(label.results))
        for t in label.results[keep:]:
            self.out += self.leaf(t)
        if label.kind != "func":
            self.finish(label)

    def steps(self):
        """What may come next, as often as it should."""
        return ([self.op_push] * 3 + [self.op_operate] * 5 + [self.op_mixed] * 4
                 + [self.op_idiom] * 4 + [self.op_set] * 3 + [self.op_change] * 4
                 + [self.op_load] * 2 + [self.op_call] * 2 + [self.op_block] * 4
                 + [self.op_end] * 3 + [self.op_br_if] * 4 + [self.op_leave] * 2
                 + [self.op_global, self.op_flood, self.op_drop, self.op_select, self.op_store,
                    self.op_memory, self.op_table])

    def code(self):
        steps = self.steps()
        while self.left > 0 and not self.dead:
            self.left -= 1
            if len(self.here()) > 40:
                self.op_drop()
            self.rng.choice(steps)()
        while self.blocks:
            self.finish(self.blocks[-1])
        body = vector([b"\x01" + bytes([t]) for t in self.locals]) + bytes(self.out)
        return leb(len(body)) + body


class Module(smith.Module):
    def __init__(self, rng):
        super().__init__(rng)

        def some(most):
            return [rng.choice(WEIGHTED) for _ in range(rng.randrange(most))]
        self.functions = [(some(6), some(5)) for _ in self.functions]
        self.signatures = self.imports + self.functions
        self.body = Walker


def generate(rng):
    return Module(rng).encode()
