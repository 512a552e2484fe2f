"""What the engine's benchmarks share."""
import os
import statistics
import subprocess

OUT = "out/bench/engine"
RUNNER = "out/rel/bin/bench-engine"
TIERS = ["interp", "baseline"]
CANNOT_RUN = 3  # exit status of what lacks the tier, or something that the module uses


def rounds():
    """BENCH_ROUNDS (5), or one with BENCH_QUICK=1."""
    return 1 if quick() else int(os.environ.get("BENCH_ROUNDS", "5"))


def quick():
    return os.environ.get("BENCH_QUICK", "0") not in ("", "0")


def runner(tier, threads=1):
    return [RUNNER, f"--tier={tier}", *([f"--threads={threads}"] if threads > 1 else [])]


def tiers():
    """Those that are built in; says which are not."""
    found = []
    for tier in TIERS:
        probe = subprocess.run([*runner(tier), "tier"], capture_output=True, text=True)
        if probe.returncode == 0:
            found.append(tier)
        elif probe.returncode == CANNOT_RUN:
            print(probe.stderr.strip())
        else:
            raise SystemExit(f"{RUNNER}: exit status {probe.returncode}: {probe.stderr}")
    return found


def medians(tier, verb, path, count, threads=1):
    """Of each number that the runner prints, over all rounds."""
    command = [*runner(tier, threads), verb, path, str(count)]
    lines = [subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
             for _ in range(rounds())]
    return [statistics.median(map(float, column)) for column in zip(*lines)]
