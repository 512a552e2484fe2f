"""Modules for the differential fuzzer: made by wasm-opt from random bytes, built by smith.py,
walk.py, vectors.py and exceptions.py, and mutations of those and of real ones."""
import glob
import itertools
import os
import random
import re
import subprocess

import exceptions
import smith
import vectors
import walk

FEATURES = ["--enable-bulk-memory", "--enable-multivalue", "--enable-sign-ext",
            "--enable-nontrapping-float-to-int", "--enable-mutable-globals", "--enable-simd",
            "--enable-tail-call"]

# Instructions that take and give the same types, so that one can stand for another.
SAME_TYPE = [bytes(range(first, last + 1)) for first, last in [
    (0x46, 0x4f), (0x51, 0x5a), (0x5b, 0x60), (0x61, 0x66), (0x67, 0x69), (0x6a, 0x78),
    (0x79, 0x7b), (0x7c, 0x8a), (0x8b, 0x91), (0x92, 0x98), (0x99, 0x9f), (0xa0, 0xa6),
    (0xa8, 0xa9), (0xaa, 0xab), (0xae, 0xaf), (0xb0, 0xb1), (0xb2, 0xb3), (0xb4, 0xb5),
    (0xb7, 0xb8), (0xb9, 0xba), (0xac, 0xad), (0xc2, 0xc4), (0xc0, 0xc1), (0x2c, 0x2f),
    (0x30, 0x35), (0x3a, 0x3b), (0x3c, 0x3e), (0x0c, 0x0d), (0x20, 0x22), (0x23, 0x24),
    (0x7c, 0x7f), (0x6f, 0x70)]]
INTERESTING = bytes([0, 1, 2, 0x0b, 0x0f, 0x1a, 0x1b, 0x1c, 0x20, 0x3f, 0x40, 0x41, 0x60, 0x6f,
                     0x70, 0x7c, 0x7f, 0x80, 0xc0, 0xd0, 0xd1, 0xd2, 0xfc, 0xff])


def generate(rng, folder):
    """A valid module from wasm-opt's generator, or None when it made none."""
    source, target = os.path.join(folder, "random"), os.path.join(folder, "made.wasm")
    with open(source, "wb") as f:
        f.write(rng.randbytes(int(2 ** rng.uniform(6, 15))))
    done = subprocess.run(["wasm-opt", "-ttf", source, "-o", target, *FEATURES],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if done.returncode:
        return None
    with open(target, "rb") as f:
        return f.read()


def script_modules(path):
    """The modules in a script of the specification's suite."""
    with open(path, "rb") as f:
        text = f.read()
    for hit in re.finditer(rb'binary((?:\s+"(?:\\[0-9a-f]{2})*")+)', text):
        yield bytes.fromhex(re.sub(rb'[^0-9a-f]', b'', hit.group(1)).decode())


def seeds():
    """Real modules to mutate: built apps and benchmarks, and the specification's suite
    where it is found; all under 20 KB."""
    found = []
    for path in sorted(glob.glob("out/apps/*/*.wasm") + glob.glob("out/bench/engine/*.wasm")):
        with open(path, "rb") as f:
            found.append(f.read())
    root = os.environ.get("SPEC_TESTS") or "../shared/wasm-spec"
    for path in sorted(glob.glob(os.path.join(root, "2.0-bin", "*.wast")) +
                       glob.glob(os.path.join(root, "3.0-bin", "return_call*.wast")) +
                       glob.glob(os.path.join(root, "3.0-bin", "exceptions_*.wast"))):
        found.extend(script_modules(path))
    return [m for m in found if 8 < len(m) < 20000]


def code_range(module):
    """Where the contents of the code section lie; all of the module when there is none."""
    at = 8
    while at < len(module):
        kind, size, shift, p = module[at], 0, 0, at + 1
        while p < len(module):
            size |= (module[p] & 0x7f) << shift
            shift += 7
            p += 1
            if module[p - 1] < 0x80:
                break
        if kind == 10:
            return p, min(p + size, len(module))
        at = p + size
    return 8, len(module)


def swap_instruction(rng, module):
    start, end = code_range(module)
    for _ in range(50):
        at = rng.randrange(start, end) if end > start else 0
        classes = [c for c in SAME_TYPE if module[at] in c]
        if classes:
            module[at] = rng.choice(rng.choice(classes))
            return


def change_byte(rng, module):
    start, end = code_range(module) if rng.random() < 0.6 else (8, len(module))
    if end > start:
        kind = rng.random()
        at = rng.randrange(start, end)
        module[at] = (rng.randrange(256) if kind < 0.3 else rng.choice(INTERESTING) if kind < 0.7
                      else module[at] ^ 1 << rng.randrange(8))


def change_constant(rng, module):
    places = [i for i in range(8, len(module) - 1) if module[i] in (0x41, 0x42)
              and module[i + 1] < 0x80]
    if places:
        module[rng.choice(places) + 1] = rng.randrange(128)


def move_bytes(rng, module):
    """Deletes, repeats or copies a short run; the length stays right only when copied over."""
    size = min(rng.randint(1, 12), len(module) - 8)
    if size <= 0:
        return
    at, to = (rng.randrange(8, len(module) - size + 1) for _ in range(2))
    run = module[at:at + size]
    kind = rng.random()
    if kind < 0.6:
        module[to:to + size] = run
    elif kind < 0.8:
        del module[at:at + size]
    else:
        module[at:at] = run


def mutate(rng, original):
    module = bytearray(original)
    operations = [swap_instruction] * 5 + [change_byte] * 3 + [change_constant] * 2 + [move_bytes]
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 5])):
        if len(module) > 8:
            rng.choice(operations)(rng, module)
    return bytes(module)


BUILDERS = [smith, walk, vectors, exceptions]
AIM = os.environ.get("BUILDERS")


def aimed(seed, builders):
    """Nothing but modules of these, and some mutations of them."""
    for number in itertools.count():
        rng = random.Random(f"{seed}/{number}")
        module = rng.choice(builders).generate(rng)
        yield "built", module
        if number % 4 == 0:
            yield "mutated", mutate(rng, module)


def stream(seed, folder, built=12, mutants=30):
    """(kind, module) without end; the same for the same seed, wasm-opt and built apps."""
    if AIM:
        yield from aimed(seed, [x for x in BUILDERS if x.__name__ in AIM.split(",")])
    pool = seeds()
    number = 0
    while True:
        rng = random.Random(f"{seed}/{number}")
        number += 1
        made = generate(rng, folder)
        if made:
            yield "generated", made
        for turn in range(built):
            yield "built", BUILDERS[turn % len(BUILDERS)].generate(rng)
        for _ in range(mutants):
            kind = rng.random()
            base = (rng.choice(pool) if pool and kind < 0.5 else
                    made if made and kind < 0.7 else rng.choice(BUILDERS).generate(rng))
            yield "mutated", mutate(rng, base)
