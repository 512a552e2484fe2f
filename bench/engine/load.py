#!/usr/bin/env python3
"""What it costs to load a large module, here and in V8. Medians of BENCH_ROUNDS (5) rounds."""
import os
import statistics
import subprocess

from common import OUT, medians, rounds, tiers

LARGE = f"{OUT}/large.wasm"
LARGER = f"{OUT}/larger.wasm"  # its functions 16 times
THREADS_MAX = 8  # as in the Linux worker
# Liftoff compiles all functions before it answers, in one thread.
LIFTOFF = ["--liftoff-only", "--no-wasm-lazy-compilation", "--single-threaded"]
FIGURE = {"interp": "engine.load.throughput", "baseline": "engine.baseline.load.throughput"}


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


def liftoff():
    """Milliseconds, or None without Node.js."""
    node = subprocess.run(["scripts/newest-node"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()
    if not node:
        return None
    command = [node, *LIFTOFF, "bench/engine/load.mjs", LARGE, "20"]
    return statistics.median(float(subprocess.run(command, check=True, stdout=subprocess.PIPE,
                                                  text=True).stdout) for _ in range(rounds()))


def parallel(size):
    """The same with all processors, and a module as large as large ones are, which takes both ways."""
    threads = min(len(os.sched_getaffinity(0)), THREADS_MAX)
    if threads == 1:
        print("One processor: nothing to compile on at the same time.")
        return
    larger = size_without_data(LARGER)
    print(f"Compiled by {threads} threads on as many processors, the same module, and one of")
    print(f"{larger:,} bytes, its functions 16 times; that one also by one thread:")
    for name, path, bytes_, count, used in (
            ("parallel", LARGE, size, 20, threads), ("parallel.larger", LARGER, larger, 3, threads),
            ("throughput.larger", LARGER, larger, 3, 1)):
        nanoseconds, = medians("baseline", "load", path, count, used)
        print(f"BENCH engine.baseline.load.{name} {bytes_ * 1000 / nanoseconds:.1f} MB_per_s")


def main():
    size = size_without_data(LARGE)
    print(f"A module of {size:,} bytes, its data section apart (all of the C library for")
    print("wasm32-wasi and eight programs), wall time: decode, validate, translate or compile.")
    for tier in tiers():
        nanoseconds, = medians(tier, "load", LARGE, 20)
        print(f"BENCH {FIGURE[tier]} {size * 1000 / nanoseconds:.1f} MB_per_s")
        if tier == "baseline":
            parallel(size)
    milliseconds = liftoff()
    if milliseconds is None:
        print("Node.js is not installed: V8 is no peer in this run.")
    else:
        print("V8's baseline compiler, eagerly and in one thread:")
        print(f"BENCH peer.v8-baseline.load {size / 1000 / milliseconds:.1f} MB_per_s")


if __name__ == "__main__":
    main()
