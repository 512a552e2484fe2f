#!/usr/bin/env python3
"""The engine compiled for a Cortex-M4 (with every warning an error, or this does not start):
it has no writable data, and needs only what hosts/mcu promises and the compiler's helpers."""
import glob
import re
import subprocess

PROMISED = "hosts/mcu/include/string.h"
OTHERS = {"sqrt",  # of double; the FPU has single precision only
          "__ctzdi2"}  # the compiler's, as all of __aeabi_ are


def nm(option, objects):
    out = subprocess.run(["arm-none-eabi-nm", option, *objects], check=True, capture_output=True,
                         text=True).stdout
    return [line.split() for line in out.splitlines() if line and not line.endswith(":")]


def main():
    objects = sorted(glob.glob("out/mcu/engine/**/*.o", recursive=True) +
                     glob.glob("out/mcu/base/*.o"))
    print("1..2")
    defined = nm("--defined-only", objects)
    writable = [cells[2] for cells in defined if cells[1] in "dDbBC"]
    print(f"{'not ' if writable or not defined else ''}ok 1 - it has no writable data"
          + "".join(f"\n# {name}" for name in writable))
    with open(PROMISED, encoding="utf-8") as f:
        promised = set(re.findall(r"(\w+)\(", f.read())) | OTHERS
    here = {cells[2] for cells in defined}
    needed = {cells[-1] for cells in nm("--undefined-only", objects)}
    strange = sorted(n for n in needed - here - promised if not n.startswith("__aeabi_"))
    print(f"{'not ' if strange or not needed else ''}ok 2 - it needs only what hosts/mcu promises"
          + "".join(f"\n# {name}" for name in strange))


if __name__ == "__main__":
    main()
