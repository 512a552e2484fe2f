#!/usr/bin/env python3
"""What it costs to start an app of 5 KB, processes and sandbox apart."""
import os

from common import OUT, medians, tiers

SMALL = f"{OUT}/small.wasm"
PREFIX = {"interp": "engine.start", "baseline": "engine.baseline.start"}


def main():
    print(f"An app of {os.path.getsize(SMALL):,} bytes, wall time, in a process that has done it")
    print("before. first: load, create a store, link, instantiate with a guarded memory, call a")
    print("function. 5kb: the same, and destroy it all. load-5kb: loading alone.")
    for tier in tiers():
        first, whole = medians(tier, "start", SMALL, 500)
        load, = medians(tier, "load", SMALL, 500)
        for name, value in (("first", first), ("5kb", whole), ("load-5kb", load)):
            print(f"BENCH {PREFIX[tier]}.{name} {value / 1000:.1f} us")


if __name__ == "__main__":
    main()
