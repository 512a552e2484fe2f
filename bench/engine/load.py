#!/usr/bin/env python3
"""What it costs to load a large module.

BENCH_ROUNDS sets the rounds (5); the figure is the median.
"""
import os
import statistics
import subprocess

OUT = "out/bench/engine"
RUNNER = "out/rel/bin/bench-engine"


def median_ns(verb, path, repeats):
    rounds = int(os.environ.get("BENCH_ROUNDS", "5"))
    return statistics.median(
        int(subprocess.run([RUNNER, verb, path, str(repeats)], check=True, capture_output=True,
                           text=True).stdout) for _ in range(rounds))


def size_without_data(path):
    """Bytes of a module, its data section apart: copying that is not the engine's work."""
    with open(path, "rb") as f:
        module = f.read()
    total, at = len(module), 8
    while at < len(module):
        start, kind, size, shift = at, module[at], 0, 0
        while True:
            at += 1
            size |= (module[at] & 0x7f) << shift
            shift += 7
            if module[at] < 0x80:
                break
        at += 1 + size
        total -= at - start if kind == 11 else 0
    return total


def main():
    large = f"{OUT}/large.wasm"
    size = size_without_data(large)
    print(f"Decode, validate and translate a module of {size:,} bytes, its data section apart")
    print("(all of the C library for wasm32-wasi and the eight programs), wall time:")
    print(f"BENCH engine.load.throughput {size * 1000 / median_ns('load', large, 20):.1f} MB_per_s")


if __name__ == "__main__":
    main()
