#!/usr/bin/env python3
"""The engine's size by part: lines of source, and bytes as the linker would take all of the
release build, instructions and constants apart."""
import glob
import os
import re
import subprocess

KINDS = {"code": r"\.text(\..*)?$", "constants": r"\.(rodata|data\.rel\.ro)(\..*)?$",
         "data": r"\.(data|bss)(\.(?!rel\.ro).*)?$"}
HEADERS = "engine/include"


def bytes_of(objects):
    listing = subprocess.run(["size", "-A", *objects], check=True, capture_output=True,
                             text=True).stdout
    sizes = dict.fromkeys(KINDS, 0)
    for line in listing.splitlines():
        cells = line.split()
        if len(cells) == 3 and cells[1].isdigit():
            for kind, pattern in KINDS.items():
                if re.match(pattern, cells[0]):
                    sizes[kind] += int(cells[1])
    return sizes


def lines_of(folder):
    count = 0
    for path in glob.glob(folder + "/**/*", recursive=True):
        if path.endswith((".c", ".h", ".inc", ".S")):
            with open(path, encoding="utf-8") as f:
                count += sum(1 for line in f if line.strip())
    return count


def small():
    """The interpreter alone, without SIMD, -Os by gcc; before linking, so without what the
    compiler's helpers and the embedder add."""
    for name, folder in ("minimal", "out/minimal/engine"), ("m4", "out/mcu/engine"):
        sizes = bytes_of(glob.glob(folder + "/**/*.o", recursive=True))
        print(f"BENCH engine.size.{name}.code {sizes['code']} bytes")
        print(f"BENCH engine.size.{name}.constants {sizes['constants']} bytes")
    print("RAM of the Cortex-M4 that the engine takes for a running app (hello), its stack of 8 KB "
          "included:")
    printed = subprocess.run(["tests/mcu/boot", "out/mcu/hello.elf"], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    print(f"BENCH engine.size.m4.ram {re.search('at most ([0-9]+) of', printed).group(1)} bytes")


def main():
    print(__doc__)
    total = dict.fromkeys(KINDS, 0)
    lines = lines_of(HEADERS)
    for part in sorted(os.path.dirname(p) for p in glob.glob("out/rel/engine/*/")):
        objects = glob.glob(part + "/**/*.o", recursive=True)
        if not objects:
            continue
        name, sizes = os.path.basename(part), bytes_of(objects)
        here = lines_of("engine/" + name)
        lines += here
        print(f"BENCH engine.size.{name}.code {sizes['code']} bytes")
        print(f"BENCH engine.size.{name}.lines {here} lines")
        total = {kind: total[kind] + sizes[kind] for kind in KINDS}
    print(f"Together, with {lines_of(HEADERS)} lines of headers; writable data (there should be "
          f"none): {total['data']}.")
    print(f"BENCH engine.size.code {total['code']} bytes")
    print(f"BENCH engine.size.constants {total['constants']} bytes")
    print(f"BENCH engine.size.lines {lines} lines")
    small()


if __name__ == "__main__":
    main()
