#!/usr/bin/env python3
"""What one more running app costs the engine: a store with an instance of a module that is
loaded already."""
from common import OUT, medians, tiers

PREFIX = {"interp": "engine.instance", "baseline": "engine.baseline.instance"}
COUNT = 400
FIGURES = [("create", "us", 1000), ("destroy", "us", 1000), ("heap", "bytes", 1),
           ("resident", "bytes", 1), ("page_tables", "bytes", 1)]


def main():
    print(f"{COUNT} stores with one instance each of a small app, alive together, each called")
    print("once; wall time. All without the guest's own memory. heap: what the engine asked for,")
    print("without the 1 MiB for the guest's stack; resident: what is in RAM, of the stack too;")
    print("page_tables: the kernel's, mostly for the 8 GiB reserved as guard.")
    for tier in tiers():
        values = medians(tier, "instances", f"{OUT}/small.wasm", COUNT)
        for (name, unit, divisor), value in zip(FIGURES, values):
            digits = 1 if divisor > 1 else 0
            print(f"BENCH {PREFIX[tier]}.{name} {value / divisor:.{digits}f} {unit}")
        one, every, pages = medians(tier, "reset", f"{OUT}/small.wasm", COUNT)
        print("Back to its first state by copy-on-write, after a write to one page of its memory")
        print(f"and after writes to all {pages:.0f}, the writes included:")
        print(f"BENCH {PREFIX[tier]}.reset {one / 1000:.1f} us")
        print(f"BENCH {PREFIX[tier]}.reset_all {every / 1000:.1f} us")


if __name__ == "__main__":
    main()
