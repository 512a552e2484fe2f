#!/usr/bin/env python3
"""How fast programs run in each tier of the engine and in other engines, against native code.

Every program is built by one clang at -O2, natively and for wasm32-wasi. In each round every
subject runs every program once, in turn, so that a busy machine hurts all alike; the
figure is the ratio of the medians of user time. All have to print the same checksum. What
a subject lacks (SIMD, say) is listed as missing.

Interpreters run a quarter of the work, against native code doing a quarter. Peers and explicit
checks run in every other round.

BENCH_ROUNDS=N       rounds (5)
BENCH_QUICK=1        one round, a quarter of the work for all
BENCH_PROGRAMS=a,b   these programs only
BENCH_SUBJECTS=a,b   these subjects only, by the beginning of their figures' names
"""
import dataclasses
import math
import os
import shutil
import statistics
import subprocess
import sys

from common import CANNOT_RUN, OUT, quick, rounds, runner, tiers

PEER = "bench/engine/peer.mjs"
# --no-wasm-tier-up alone would not do: calls still count towards a dynamic tier-up. The other
# two stop Liftoff from collecting what only an optimising compiler would use.
LIFTOFF = ["--liftoff-only", "--no-wasm-dynamic-tiering", "--no-wasm-inlining"]
EIGHT = ["coremark", "sha256", "nbody", "fannkuch", "mandel", "sorthash", "calls", "regex"]
PROGRAMS = [*EIGHT, "simdmem", "simdcpu", "bzip2"]
FULL, SMALL = OUT, f"{OUT}/small"


@dataclasses.dataclass
class Subject:
    figure: str           # the beginning of its figures' names
    what: str
    command: list = dataclasses.field(default_factory=list)  # before the file
    suffix: str = ".wasm"
    size: str = FULL      # folder of the programs that it runs
    every: int = 2        # runs in each or in every other round
    idle: bool = False    # its start alone, without a file, is measured and taken off
    times: dict = dataclasses.field(default_factory=dict)    # program: user seconds
    missing: dict = dataclasses.field(default_factory=dict)  # program: why


def measure(command):
    """(user seconds, what it printed, what it complained), or exit unless it ended well or
    cannot run this at all, when the seconds are None."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as child:
        output, complaint = child.stdout.read(), child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, CANNOT_RUN):
        sys.exit(f"{' '.join(command)}: exit status {child.returncode}\n{complaint}")
    return None if child.returncode else usage.ru_utime, output.strip(), complaint.strip()


# --- who runs -------------------------------------------------------------------------

def own():
    about = {"interp": ("interpreter", SMALL), "baseline": ("baseline compiler", FULL)}
    for tier in tiers():
        name, size = about[tier]
        yield Subject(f"engine.{tier}", f"{name}, guarded memories", [*runner(tier), "run"],
                      size=size, every=1)
        yield Subject(f"engine.{tier}.check", f"{name}, explicit bounds checks",
                      [*runner(tier), "check"], size=size)
    if "baseline" in tiers():
        bare = ["env", "EMBED_UNHARDENED=1", *runner("baseline")]
        yield Subject("engine.baseline.unhardened",
                      "baseline compiler, guarded memories, not hardened against misprediction",
                      [*bare, "run"])
        yield Subject("engine.baseline.check-unhardened",
                      "baseline compiler, explicit bounds checks, not hardened", [*bare, "check"])


def peers():
    found = subprocess.run(["scripts/newest-node"], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.strip()
    if found:
        version = subprocess.run([found, "--version"], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout.strip()
        known = subprocess.run([found, "--v8-options"], check=True, stdout=subprocess.PIPE,
                               text=True).stdout.split()
        for figure, what, options in (
                ("v8-baseline", "baseline compiler alone (Liftoff)", LIFTOFF),
                ("v8-optimising", "optimising compiler alone (TurboFan)", ["--no-liftoff"]),
                ("v8", "engine as it comes (which never replaces a running function)", [])):
            options = [o for o in options if o.replace("--no-", "--") in known]
            yield Subject(f"peer.{figure}", f"Node.js {version}'s {what}",
                          [found, *options, PEER], idle=True)
    else:
        print("Node.js is not installed: V8 is no peer in this run.")
    if shutil.which("wasm2c"):
        yield Subject("peer.wasm2c", "wabt's wasm2c and gcc -O2, guarded memories",
                      suffix=".wasm2c")
    else:
        print("wabt is not installed: wasm2c is no peer in this run.")


def chosen_subjects():
    wanted = [name for name in os.environ.get("BENCH_SUBJECTS", "").split(",") if name]
    found = [s for s in [*own(), *peers()] if not wanted or s.figure.startswith(tuple(wanted))]
    for subject in found:
        subject.size = SMALL if quick() and subject.suffix == ".wasm" else subject.size
    return found


def chosen_programs():
    wanted = [name for name in os.environ.get("BENCH_PROGRAMS", "").split(",") if name]
    unknown = set(wanted) - set(PROGRAMS)
    if unknown:
        sys.exit(f"no such programs: {', '.join(sorted(unknown))}; there are {' '.join(PROGRAMS)}")
    found = []
    for program in wanted or PROGRAMS:
        if os.path.exists(f"{FULL}/{program}"):
            found.append(program)
        else:
            print(f"{program} is missing: its source could not be fetched.")
    return found


# --- rounds -----------------------------------------------------------------------------

def run_program(subject, program, expected):
    path = f"{subject.size}/{program}{subject.suffix}"
    if program in subject.missing:
        return
    if not os.path.exists(path):
        subject.missing[program] = "could not be translated"
        return
    seconds, printed, complaint = measure([*subject.command, path])
    if seconds is None:
        subject.missing[program] = complaint.rpartition(": ")[2] or "cannot be run"
    elif printed != expected:
        sys.exit(f"{subject.figure}: {program} printed '{printed}', native '{expected}'")
    else:
        subject.times.setdefault(program, []).append(seconds)


def run_rounds(natives, subjects, programs):
    """natives: folder: what runs the programs there. Fills the times of all; returns the
    seconds that subjects take to start, by figure."""
    idle = {s.figure: [] for s in subjects if s.idle}
    for number in range(rounds()):
        active = [s for s in subjects if number % s.every == 0]
        for subject in active:
            if subject.idle:
                idle[subject.figure].append(measure(subject.command)[0])
        for program in programs:
            expected = {}
            for folder, native in natives.items():
                seconds, expected[folder], _ = measure([f"{folder}/{program}"])
                native.times.setdefault(program, []).append(seconds)
            for subject in active:
                run_program(subject, program, expected[subject.size])
    return {figure: statistics.median(times) for figure, times in idle.items()}


# --- figures ------------------------------------------------------------------------------

def geomean(ratios):
    return math.exp(statistics.fmean(map(math.log, ratios)))


def report(subject, native, start, programs):
    print(f"{subject.what}, native code = 1:")
    ratios = {}
    for program in programs:
        if program in subject.times:
            seconds = max(statistics.median(subject.times[program]) - start, 1e-6)
            ratios[program] = seconds / statistics.median(native.times[program])
            print(f"BENCH {subject.figure}.{program} {ratios[program]:.2f} x_native")
    for program, why in subject.missing.items():
        print(f"missing: {subject.figure}.{program}: {why}")
    if set(EIGHT) <= set(ratios):
        print(f"BENCH {subject.figure}.geomean {geomean([ratios[p] for p in EIGHT]):.2f} x_native")
    if set(PROGRAMS) <= set(ratios):
        print(f"BENCH {subject.figure}.geomean-all {geomean(ratios.values()):.2f} x_native")


def main():
    subjects, programs = chosen_subjects(), chosen_programs()
    natives = {folder: Subject("native", "", suffix="", size=folder)
               for folder in sorted({s.size for s in subjects})}
    starts = run_rounds(natives, subjects, programs)
    print("Same C source, same clang -O2, as wasm32-wasi and native; user time, medians of rounds:")
    print(f"{rounds()}, every other for peers and explicit checks. geomean: of the first eight.")
    for folder, native in natives.items():
        medians = [statistics.median(times) for times in native.times.values()]
        spread = max(max(times) / min(times) for times in native.times.values())
        print(f"Native {'whole' if folder == FULL else 'quarter'} programs: {min(medians):.2f} to "
              f"{max(medians):.2f} s; slowest run {spread:.2f} times the fastest.")
    for subject in subjects:
        report(subject, natives[subject.size], starts.get(subject.figure, 0), programs)


if __name__ == "__main__":
    main()
