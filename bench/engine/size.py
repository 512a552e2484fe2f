#!/usr/bin/env python3
"""The size of the engine's code and constants, as the linker would take all of it."""
import re
import subprocess

KINDS = {"code": r"\.text(\..*)?$", "rodata": r"\.(rodata|data\.rel\.ro)(\..*)?$"}


def main():
    listing = subprocess.run(["size", "-A", "out/rel/libengine.a"], check=True,
                             capture_output=True, text=True).stdout
    sizes = dict.fromkeys(KINDS, 0)
    other = 0
    for line in listing.splitlines():
        cells = line.split()
        if len(cells) != 3 or not cells[1].isdigit():
            continue
        if re.match(r"\.(data|bss)(\.(?!rel\.ro).*)?$", cells[0]):
            other += int(cells[1])
        for kind, pattern in KINDS.items():
            if re.match(pattern, cells[0]):
                sizes[kind] += int(cells[1])
    print(f"All objects of the engine, release build: {sizes['code']} bytes of instructions and")
    print(f"{sizes['rodata']} of constants; writable data (there should be none): {other}.")
    print(f"BENCH engine.size.code {sum(sizes.values())} bytes")


if __name__ == "__main__":
    main()
