"""Random valid modules of what 3.0 adds: walks over a stack of types (vectors.py) with exceptions
of all kinds, references to them, tail calls, and several memories.

A try_table stands in blocks made for what its clauses catch, values wait below it, and locals
change inside. What is caught is kept, thrown again, passed on to calls. A loop that a clause
leads back into counts its turns at its head.

Half of the modules import from "twin": what they export themselves, of an instance that was there
before (subject.c). Calls, exceptions, references and memories go between instances then.
"""
import smith
import vectors
import walk
from smith import EXTERNREF, FUNCREF, I32, NUMBERS, leb, name, sleb, vector
from vectors import V128
from walk import Label

EXNREF = 0x69
CATCH, CATCH_REF, CATCH_ALL, CATCH_ALL_REF = range(4)


class Walker(vectors.Walker):
    def type(self):
        return self.rng.choice(self.m.weighted)

    # A trap ends the call, and an exception would have been more interesting.

    def address(self, depth):
        return super().address(depth) if self.rng.random() < 0.15 else \
            b"\x41" + sleb(self.rng.choice([0, 65000, self.rng.randrange(60000)]))

    def memarg(self, width):
        return super().memarg(width) if self.rng.random() < 0.1 else \
            leb(self.rng.randint(0, width)) + leb(self.rng.choice([0, 0, 1, 8, 100]))

    def small(self, depth):
        return super().small(depth) if self.rng.random() < 0.1 else \
            b"\x41" + sleb(self.rng.randrange(4))

    # --- throwing ---

    def under_condition(self, always=False):
        """What follows until the block's end happens in some runs only, mostly."""
        if always or (self.rng.random() < 0.8 and len(self.blocks) < 10):
            self.condition()
            self.put(b"\x04\x40", 1)
            self.blocks.append(Label("if", [], [], len(self.stack)))

    def op_throw(self, always=False):
        self.under_condition(always)
        tags = range(self.m.common_tags)
        here = self.here()
        fitting = [x for x in tags if self.m.tags[x] and
                   here[len(here) - len(self.m.tags[x]):] == self.m.tags[x]]
        tag = self.rng.choice(fitting if fitting and self.rng.random() < 0.5 else list(tags))
        self.have(self.m.tags[tag])
        self.put(b"\x08" + leb(tag))
        return self.die()

    def op_throw_ref(self):
        """One that was caught, when there is one: where op_keep put it, most likely."""
        here, rng = self.here(), self.rng
        if not here or here[-1] != EXNREF:
            kept = [b"\x20" + leb(i) for i, t in enumerate(self.params + self.locals)
                    if t == EXNREF] * 2
            kept += [b"\x23" + leb(i) for i, (t, _) in enumerate(self.m.globals) if t == EXNREF]
            kept += [b"\x41" + sleb(rng.randrange(4)) + b"\x25" + leb(i)
                     for i, t in enumerate(self.m.tables) if t[0] == EXNREF]
            if not kept:
                return self.op_throw()
            self.under_condition()
            self.put(rng.choice(kept), 0, [EXNREF])
        x = leb(self.new_local(EXNREF))
        if rng.random() < 0.8:  # null would be a trap, which ends the call
            self.put(b"\x22" + x + b"\xd1\x45\x04\x40\x20" + x + b"\x0a\x0b", 1)
        else:
            self.put(b"\x0a", 1)
            return self.die()
        return None

    def op_keep(self):
        """An exception goes where others find it."""
        here = self.here()
        if not here or here[-1] != EXNREF:
            return self.op_push()
        tables = [i for i, t in enumerate(self.m.tables) if t[0] == EXNREF]
        places = [b"\x21" + leb(x) for x in self.settable(EXNREF)]
        places += [b"\x24" + leb(i) for i, (t, mutable) in enumerate(self.m.globals)
                   if mutable and t == EXNREF]
        if tables and (not places or self.rng.random() < 0.4):
            x, table = leb(self.new_local(EXNREF)), leb(self.rng.choice(tables))
            return self.put(b"\x21" + x + self.small(0) + self.rng.choice(
                [b"\x20" + x + b"\x26" + table, b"\x20" + x + b"\x41\x02\xfc\x11" + table]), 1)
        if not places:
            places = [b"\x21" + leb(self.new_local(EXNREF))]
        self.put(self.rng.choice(places), 1)
        return self.op_burn() if self.rng.random() < 0.4 else None

    def op_burn(self):
        """Exceptions that nobody keeps, so large that after some the others are looked through."""
        if self.m.burn and self.index < self.m.burn:
            self.put(b"\x10" + leb(self.m.burn))

    # --- catching ---

    def payload(self, kind, tag):
        types = self.m.tags[tag] if kind < CATCH_ALL else []
        return types + ([EXNREF] if kind in (CATCH_REF, CATCH_ALL_REF) else [])

    def open_target(self, takes):
        """A block whose label takes these; what lies on the stack may go along inside."""
        here = self.here()
        count = min(len(here), self.rng.choice([0, 0, 1, 2, 3]))
        params = here[len(here) - count:]
        if self.rng.random() < 0.12:
            return self.open_loop(takes)
        self.put(b"\x02" + self.block_type(params, takes))
        label = Label("target", params, list(takes), len(self.stack) - count)
        self.blocks.append(label)
        return label

    def open_loop(self, takes):
        """A loop that is entered again with what was caught, and left when it has counted."""
        counter = self.new_local(I32)
        self.counters.append(counter)
        self.have(takes)
        results = self.rng.choice([[], [I32], list(takes)])
        self.put(b"\x41" + sleb(self.rng.randint(1, 4)) + b"\x21" + leb(counter)
                 + b"\x03" + self.block_type(takes, results))
        label = Label("loop", list(takes), results, len(self.stack) - len(takes), counter)
        label.counted = "once"
        self.blocks.append(label)
        x = leb(counter)
        self.put(b"\x20" + x + b"\x41\x7f\x6a\x22" + x + b"\x41\x00\x48\x04\x40"
                 + b"".join(self.leaf(t) for t in self.results) + b"\x0f\x0b")
        return label

    def op_try(self):
        rng = self.rng
        if len(self.blocks) > 8:
            return self.op_end()
        clauses = []
        for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3, 5])):
            kind, tag = rng.randrange(4), rng.randrange(self.m.common_tags)
            takes = self.payload(kind, tag)
            fitting = [x for x in self.blocks if x.kind != "loop" and x.takes() == takes]
            if len(self.blocks) > 7 and not fitting:
                continue
            label = rng.choice(fitting) if fitting and rng.random() < 0.6 \
                else self.open_target(takes)
            clauses.append((kind, tag, label))
        here = self.here()
        count = min(len(here), rng.choice([0, 0, 1, 2, 4]))
        params = here[len(here) - count:]
        results = [self.type() for _ in range(rng.choice([0, 1, 1, 2, 3]))]
        if rng.random() < 0.3:  # of the block around: nothing to do at its end
            results = list(self.blocks[-1].results)
        rng.shuffle(clauses)
        code = [bytes([kind]) + (leb(tag) if kind < CATCH_ALL else b"")
                + leb(self.depth_of(label)) for kind, tag, label in clauses]
        self.put(b"\x1f" + self.block_type(params, results) + vector(code))
        self.blocks.append(Label("try", params, results, len(self.stack) - count))
        for _ in range(rng.randrange(4)):
            self.op_change()
        return rng.choice([self.op_call] * 4 + [self.op_indirect, self.op_throw, self.op_push])()

    def finish(self, label):
        super().finish(label)
        if label.kind == "target":
            self.show_locals()
            if self.here() and self.here()[-1] == EXNREF and self.rng.random() < 0.7:
                self.throw_later()

    def throw_later(self):
        """What was just caught waits somewhere, while others come and go."""
        if not self.m.burn or self.index >= self.m.burn:
            return
        x, at = leb(self.new_local(EXNREF)), b"\x41" + sleb(self.rng.randrange(6))
        get = b"\x20" + x
        ways = [(b"\x21" + x, get), (b"", b"")]
        ways += [(b"\x24" + leb(i), b"\x23" + leb(i))
                 for i, (t, mutable) in enumerate(self.m.globals) if mutable and t == EXNREF]
        ways += [(b"\x21" + x + at + get + b"\x26" + leb(i) + b"\xd0\x69\x21" + x,
                  at + b"\x25" + leb(i)) for i, t in enumerate(self.m.tables)
                 if t[0] == EXNREF and t[1] > 5]
        keep, find = self.rng.choice(ways)
        if not keep:
            self.op_burn()
            keep, find = ways[0]
        self.put(keep, 1)
        self.op_burn()
        self.put(b"\x02\x40\x1f\x40\x01\x02\x00" + find + b"\x0a\x0b\x0b")

    def show_locals(self):
        """Some of what a frame has kept goes where it will be compared."""
        known = self.params + self.locals
        for x in self.rng.sample(range(len(known)), min(len(known), self.rng.choice([0, 2, 8]))):
            if x not in self.counters:
                self.put(b"\x20" + leb(x), 0, [known[x]])
                self.sink()

    # --- calls that end the function ---

    def op_tail(self):
        fitting = [(i, s) for i, s in self.m.callable(self.index) if s[1] == self.results]
        if not fitting:
            return self.op_call()
        self.under_condition()
        i, (params, results) = self.rng.choice(fitting)
        kind = self.rng.random()
        if kind < 0.4:
            return self.through_table(b"\x13", ends=True)
        self.have(params)
        self.put(b"\x12" + leb(i), len(params), results)
        return self.die()

    def through_table(self, op, ends=False):
        """An indirect call of a function that is put into the table just before, mostly."""
        fitting = [i for i in self.m.declared if (i > self.index or i < len(self.m.imports))
                   and (not ends or self.m.signatures[i][1] == self.results)]
        tables = [i for i in self.m.func_tables if self.m.tables[i][1]]
        if not fitting or not tables:
            return self.op_push()
        i, table = self.rng.choice(fitting), self.rng.choice(tables)
        params, results = self.m.signatures[i]
        at = b"\x41" + sleb(self.rng.randrange(self.m.tables[table][1]))
        self.put(at + b"\xd2" + leb(i) + b"\x26" + leb(table))
        self.have(params)
        at = at if self.rng.random() < 0.95 else self.small(0)
        self.put(at + op + leb(self.m.type_index(params, results)) + leb(table),
                 len(params), results)
        return self.die() if ends else None

    def op_call(self):
        """Directly: an index that was not looked after ends most calls."""
        indirect, self.m.func_tables = self.m.func_tables, []
        super().op_call()
        self.m.func_tables = indirect

    def op_indirect(self):
        return self.through_table(b"\x11")

    # --- other memories ---

    def other(self):
        """The number of a memory; the first one may be named, too."""
        return self.rng.randrange(len(self.m.memories))

    def place(self):
        """An address on the stack."""
        here, rng = self.here(), self.rng
        if here and here[-1] == I32 and rng.random() < 0.4:
            self.put(b"\x41" + sleb(rng.choice([4095, 65535])) + b"\x71")
        else:
            self.put(self.address(0), 0, [I32])

    def other_memarg(self, width):
        """Bit 6 of the alignment: the memory's number follows."""
        rng = self.rng
        offset = rng.choice([0, 1, 8, 100])
        if rng.random() < 0.03:
            offset = rng.choice([65535, 65536, 0xffffffff])
        return leb(0x40 | rng.randint(0, width)) + leb(self.other()) + leb(offset)

    def op_other_load(self):
        rng = self.rng
        self.place()
        if rng.random() < 0.3 and self.m.vectors:
            op = rng.choice(list(vectors.LOADS))
            return self.put(vectors.simd(op, self.other_memarg(vectors.LOADS[op])), 1, [V128])
        t = rng.choice(NUMBERS)
        op, width = rng.choice(smith.LOADS[t])
        return self.put(bytes([op]) + self.other_memarg(width), 1, [t])

    def op_other_store(self):
        rng = self.rng
        here = self.here()
        t = here[-1] if here and here[-1] in NUMBERS + [V128] else I32
        self.have([t])
        x = leb(self.new_local(t))
        value = b"\x20" + x
        self.put(b"\x21" + x, 1)
        self.place()
        if t == V128 and rng.random() < 0.5:
            lane = rng.randrange(4)
            return self.put(value + vectors.simd(vectors.STORE_LANE[lane], self.other_memarg(lane),
                                                 self.lane(16 >> lane)), 1)
        if t == V128:
            return self.put(value + vectors.simd(11, self.other_memarg(4)), 1)
        op, width = rng.choice(smith.STORES[t])
        if t in (smith.F32, smith.F64):
            value = self.without_nan(value, t)
        return self.put(value + bytes([op]) + self.other_memarg(width), 1)

    def op_other_lane(self):
        if not self.m.vectors:
            return self.op_other_load()
        lane = self.rng.randrange(4)
        self.place()
        self.push(V128)
        return self.put(vectors.simd(vectors.LOAD_LANE[lane], self.other_memarg(lane),
                                     self.lane(16 >> lane)), 2, [V128])

    def op_other_bulk(self):
        rng = self.rng
        x, y = leb(self.other()), leb(self.other())
        kind = rng.random()
        if kind < 0.2:
            return self.put(b"\x3f" + x, 0, [I32])
        if kind < 0.4:
            return self.put(b"\x41" + sleb(rng.choice([0, 1, 1, 2, 70000])) + b"\x40" + x, 0, [I32])
        if kind < 0.6:
            return self.put(self.address(0) + self.address(0) + self.small(0) + b"\xfc\x0a" + x + y)
        if kind < 0.8 or not self.m.datas:
            return self.put(self.address(0) + self.leaf(I32) + self.small(0) + b"\xfc\x0b" + x)
        data = leb(rng.randrange(self.m.datas))
        return self.put(self.address(0) + self.small(0) + self.small(0) + b"\xfc\x08" + data + x)

    def steps(self):
        plain = super().steps() if self.m.vectors else walk.Walker.steps(self)
        return (plain + [self.op_try] * 7 + [self.op_throw] * 4 + [self.op_throw_ref] * 3
                + [self.op_keep] * 2 + [self.op_burn] * (self.m.burn > 0)
                + [self.op_call] * 3 + [self.op_indirect] * 2
                + [self.op_tail] * 2 + [self.op_other_load] * self.m.others
                + [self.op_other_store] * self.m.others + [self.op_other_lane] * self.m.vectors
                + [self.op_other_bulk] * (self.m.others > 0))

    def code(self):
        """Early on, before a trap can end it: a throw, or a block that catches."""
        kind = self.rng.random()
        if kind < 0.25:
            self.op_throw(True)
        elif kind < 0.9:
            self.push_all([self.type() for _ in range(self.rng.randrange(4))])
            self.op_try()
        return super().code()

    def condition(self, keep=()):
        if self.m.vectors:
            return super().condition(keep)
        return walk.Walker.condition(self, keep)


def plain(types):
    """JavaScript has no vectors and no exceptions as values."""
    return [I32 if t in (V128, EXNREF) else t for t in types]


class Burner(Walker):
    """A function that throws and catches a large exception, ten times. That takes a while, so it
    uses up fuel as well."""

    def code(self):
        once = (b"\x02\x40\x1f\x40\x01\x02\x00" + b"\x42\x00" * len(self.m.tags[-1])
                + b"\x08" + leb(len(self.m.tags) - 1) + b"\x0b\x0b")
        again = b"\x20\x00\x41\x01\x6a\x22\x00\x41\x0a\x48\x0d\x00"
        spend = (b"\x41\x00\x21\x01\x03\x40\x20\x01\x41\x01\x6a\x22\x01\x41\x32\x48\x0d\x00"
                 b"\x0b")
        body = b"\x01\x02\x7f\x03\x40" + once + spend + again + b"\x0b\x0b"
        return leb(len(body)) + body


class Module(vectors.Module):
    def __init__(self, rng):
        super().__init__(rng)
        self.vectors = rng.choice([0, 0, 2])
        self.weighted = walk.WEIGHTED + [EXNREF] * 2 + [V128] * 4 * self.vectors
        self.body = self.choose_body
        self.burn = 0

        def some(most):
            return [rng.choice(self.weighted) for _ in range(rng.randrange(most))]
        results = [some(4) for _ in range(3)]  # few, so that tail calls find somebody
        many = 14 if rng.random() < 0.3 else 5
        self.functions = [(some(many), list(rng.choice(results)))
                          for _ in range(rng.randint(2, 9))]
        for i in range(0, len(self.functions), 2):
            self.functions[i] = tuple(map(plain, self.functions[i]))
        self.globals = [(t if t != V128 or self.vectors else I32, m) for t, m in self.globals]
        self.globals += [(EXNREF, rng.random() < 0.8) for _ in range(rng.randrange(3))]
        self.tables += [(EXNREF, 0, None) for _ in range(rng.randrange(2))]
        self.tables = [(t, rng.choice([0, 6, 12, 12, 20]), most) for t, _, most in self.tables]
        self.tags = [some(rng.choice([1, 2, 3, 6, 24])) for _ in range(rng.choice([1, 2, 2, 3, 5]))]
        self.memories = [(1, 3)] + [(rng.choice([0, 1, 1, 1, 1, 2]), rng.choice([None, 2, 4]))
                                    for _ in range(rng.choice([0, 0, 1, 2, 3]))]
        self.others = len(self.memories) - 1
        self.origin = rng.choice(["host", "twin"])
        self.import_more()
        self.common_tags = len(self.tags)
        if rng.random() < 0.3:
            self.tags.append([smith.I64] * 900)
            self.functions.append(([], []))
            self.burn = len(self.imports + self.functions) - 1
        self.signatures = self.imports + self.functions
        self.declared = sorted({rng.randrange(len(self.signatures)) for _ in range(8)})

    def choose_body(self, module, index, params, results):
        kind = Burner if self.burn and index == self.burn else Walker
        return kind(module, index, params, results)

    def import_more(self):
        """Of each kind the first few, which are exported under the same names."""
        rng = self.rng
        calls = [([rng.choice(walk.WEIGHTED) for _ in range(rng.randrange(3))],
                  list(rng.choice(self.functions)[1])) for _ in range(rng.randrange(3))]
        self.imports += [(p, plain(r)) for p, r in calls]
        self.names = [name("host") + name(f"f{i}") for i in range(len(self.imports) - len(calls))]
        self.names += [name("host") + name(f"back{i}")
                       for i in rng.sample(range(len(self.functions)), len(calls))]
        if self.origin == "twin":
            usual = [i for i, (p, r) in enumerate(self.functions) if plain(p + r) == p + r]
            chosen = rng.sample(usual, min(len(usual), rng.randrange(4)))
            self.imports += [self.functions[i] for i in chosen]
            self.names += [name("twin") + name(f"f{i}") for i in chosen]
        few = rng.random() < 0.7
        self.tag_imports = self.leading(self.tags, lambda t: plain(t) == t)
        self.table_imports = self.leading(self.tables, lambda t: t[0] != EXNREF) if few else 0
        self.global_imports = self.leading(self.globals, lambda g: plain(g[:1]) == [g[0]]) \
            if few else 0
        self.memory_imports = self.leading(self.memories, lambda m: True) if few else 0

    def leading(self, items, usable):
        count = 0
        while count < len(items) and usable(items[count]) and self.rng.random() < 0.5:
            count += 1
        return count

    def import_name(self, i):
        return self.names[i]

    def other_imports(self):
        of = name(self.origin)
        memory = ["memory", "m1", "m2", "m3"]
        return ([of + name(f"t{i}") + b"\x01" + smith.table_type(*t)
                 for i, t in enumerate(self.tables[:self.table_imports])]
                + [of + name(memory[i]) + b"\x02" + smith.limits(*m)
                   for i, m in enumerate(self.memories[:self.memory_imports])]
                + [of + name(f"g{i}") + b"\x03" + bytes(g)
                   for i, g in enumerate(self.globals[:self.global_imports])]
                + [of + name(f"e{i}") + b"\x04\x00" + leb(self.type_index(t, []))
                   for i, t in enumerate(self.tags[:self.tag_imports])])

    def memory_section(self):
        return vector([smith.limits(*m) for m in self.memories[self.memory_imports:]])

    def tag_section(self):
        own = self.tags[self.tag_imports:]
        return vector([b"\x00" + leb(self.type_index(t, [])) for t in own])

    def other_exports(self):
        return ([name(f"m{i}") + b"\x02" + leb(i) for i in range(1, len(self.memories))]
                + [name(f"e{i}") + b"\x04" + leb(i) for i in range(len(self.tags))])

    def data_memory(self):
        """Where an active segment goes: a memory that has a page."""
        return self.rng.choice([i for i, (low, _) in enumerate(self.memories) if low])


def generate(rng):
    return Module(rng).encode()
