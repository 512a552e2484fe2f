#!/usr/bin/env python3
"""The interpreter against native code, program by program.

Every program in programs/ is built by one clang at -O2, natively and for wasm32-wasi. In each
round every subject runs every program once, in turn, so that a busy machine hurts all
alike; the figure is the ratio of the medians of user time. All have to print the same
checksum. BENCH_ROUNDS sets the rounds (5).
"""
import math
import os
import shutil
import statistics
import subprocess
import sys

OUT = "out/bench/engine"
RUNNER = "out/rel/bin/bench-engine"
PEER = "bench/engine/peer.mjs"
PROGRAMS = ["coremark", "sha256", "nbody", "fannkuch", "mandel", "sorthash", "calls", "regex"]


def measure(command):
    """(user seconds, what it printed)"""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(command)}: exit status {child.returncode}")
    return usage.ru_utime, output.strip()


def subjects():
    """name: (command before the module, figure's prefix, explanation)"""
    found = {
        "guard": ([RUNNER, "run"], "engine.interp", "guarded memories"),
        "check": ([RUNNER, "check"], "engine.interp.check", "explicit bounds checks"),
    }
    node = shutil.which("node")
    if node:
        version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
        baseline = [node, "--liftoff", "--no-wasm-tier-up"]
        found["v8-baseline"] = (baseline + [PEER], "peer.v8-baseline",
                                f"Node.js {version}'s baseline compiler (Liftoff)")
        found["v8-optimising"] = ([node, "--no-liftoff", PEER], "peer.v8-optimising",
                                  f"Node.js {version}'s optimising compiler alone (TurboFan)")
        found["v8"] = ([node, PEER], "peer.v8",
                       f"Node.js {version} as it comes (which never replaces a running function)")
    return found


def run_rounds(rounds, engines):
    """times[subject][program]: list of user seconds"""
    times = {name: {p: [] for p in PROGRAMS} for name in ["native", *engines]}
    idle = {name: [] for name in engines if name.startswith("v8")}
    for _ in range(rounds):
        for name in idle:
            idle[name].append(measure(engines[name][0])[0])
        for program in PROGRAMS:
            seconds, expected = measure([f"{OUT}/{program}"])
            times["native"][program].append(seconds)
            for name, (command, _, _) in engines.items():
                seconds, printed = measure([*command, f"{OUT}/{program}.wasm"])
                if printed != expected:
                    sys.exit(f"{name}: {program} printed '{printed}', native '{expected}'")
                times[name][program].append(seconds)
    for name, starts in idle.items():  # Node.js's own start is not its engine's work
        for program in PROGRAMS:
            times[name][program] = [max(t - statistics.median(starts), 1e-6)
                                    for t in times[name][program]]
    return times


def main():
    rounds = int(os.environ.get("BENCH_ROUNDS", "5"))
    engines = subjects()
    times = run_rounds(rounds, engines)
    native = {p: statistics.median(times["native"][p]) for p in PROGRAMS}
    spread = max(max(t) / min(t) for t in times["native"].values())
    print(f"Same C source, same clang -O2, as wasm32-wasi and native; medians of {rounds} rounds of")
    print(f"user time, native {min(native.values()):.2f} to {max(native.values()):.2f} s a program; "
          f"slowest native run {spread:.2f} times the fastest.")
    for name, (_, prefix, what) in engines.items():
        print(f"{what}, native code = 1:")
        ratios = [statistics.median(times[name][p]) / native[p] for p in PROGRAMS]
        for program, ratio in zip(PROGRAMS, ratios):
            print(f"BENCH {prefix}.{program} {ratio:.2f} x_native")
        mean = math.exp(statistics.fmean(map(math.log, ratios)))
        print(f"BENCH {prefix}.geomean {mean:.2f} x_native")
    if "v8" not in engines:
        print("Node.js is not installed: no peers in this run.")


if __name__ == "__main__":
    main()
