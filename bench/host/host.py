#!/usr/bin/env python3
"""The supervisor on this machine, un-booted, with every layer of the sandbox on.

host.app_start       from `@supervisor: start up` until that app's first output has arrived, inside
                     a running supervisor; against vfork+exec of a native static program
host.run_start       the same for a whole supervisor started for one app, as `vyoma run` does
host.message         ping and pong through the broker, by calls and by lines, and one way;
                     against two native processes over a Unix socket pair
host.idle_private    Private_Clean + Private_Dirty of a worker whose app sleeps (smaps_rollup)
host.apps200/1000    until a line of each of that many has arrived at one more app, and what they
                     take together
"""
import glob
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SUPERVISE = "out/rel/bin/sandbox-supervise"
WORKER = "out/rel/bin/vyoma-run"
BARE = "out/rel/bin/bench-host-bare"
MODULES = "out/bench/host"
CAPS = "stdio = true\n"


def bench(name, value, unit):
    print(f"BENCH {name} {value:.4g} {unit}" if value < 1000 else f"BENCH {name} {value:.0f} {unit}",
          flush=True)


class Place:
    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="vyoma-bench-")
        self.apps = os.path.join(self.path, "apps")
        os.mkdir(self.apps)

    def app(self, name, module, args=(), caps=CAPS, lines=False):
        folder = os.path.join(self.apps, name)
        os.mkdir(folder)
        shutil.copy(module, os.path.join(folder, f"{name}.wasm"))
        words = ", ".join(f'"{a}"' for a in args)
        with open(os.path.join(folder, "vyoma.toml"), "w", encoding="utf-8") as f:
            f.write(f'[app]\nname = "{name}"\nversion = "1"\nwasm = "{name}.wasm"\n'
                    f'manifest_version = 1\nlines = {str(lines).lower()}\nargs = [{words}]\n'
                    f'[capabilities]\n{caps}')

    def command(self, *options):
        return [SUPERVISE, "--worker", WORKER, "--apps", self.apps, "--data",
                os.path.join(self.path, "data"), "--audit", os.path.join(self.path, "audit.jsonl"),
                *options]

    def output(self, *options):
        """stdout of a foreground run; its stdin stays open, as a person's would."""
        child = subprocess.Popen(self.command("--foreground", *options), stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, err = child.stdout.read(), child.stderr.read()
        child.stdin.close()
        if child.wait():
            sys.exit(f"{options}: exit {child.returncode}\n{out}{err}")
        return out

    def close(self):
        shutil.rmtree(self.path)


def number(text, pattern):
    hit = re.search(pattern, text)
    if not hit:
        sys.exit(f"no figure in: {text}")
    return float(hit.group(1))


def bare(*args):
    return subprocess.run([BARE, *map(str, args)], capture_output=True, text=True, check=True).stdout


def starts():
    place = Place()
    place.app("starter", f"{MODULES}/starter.wasm", caps=CAPS + "shell = true\n", lines=True)
    place.app("up", f"{MODULES}/up.wasm", caps=CAPS + '[capabilities.ipc]\nsend = ["starter"]\n',
              lines=True)
    place.app("idle", f"{MODULES}/idle.wasm")
    native = number(bare("start", 60), r"median (\d+)")
    app = number(place.output("starter"), r"median (\d+)")
    bench("host.app_start", app / 1000, "ms")
    bench("peer.native_start", native / 1000, "ms")
    bench("host.app_start.ratio", app / native, "x_native")
    took = [first_output(place) for _ in range(15)]
    bench("host.run_start", statistics.median(took) * 1000, "ms")
    place.close()


def first_output(place):
    start = time.monotonic()
    child = subprocess.Popen(place.command("--foreground", "idle"), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    child.stdout.read(1)
    took = time.monotonic() - start
    child.terminate()
    child.wait()
    return took


def messages():
    place = Place()
    ipc = CAPS + '[capabilities.ipc]\nsend = ["ping", "pong", "sink", "source"]\n'
    place.app("ping", "out/apps/ping/ping.wasm", caps=ipc, lines=True)
    place.app("pong", "out/apps/pong/pong.wasm", caps=ipc, lines=True)
    place.app("sink", f"{MODULES}/stream.wasm", caps=ipc)
    place.app("source", f"{MODULES}/stream.wasm", caps=ipc)
    count = ("--arg", "--count", "--arg", "5000")
    each = r"([\d.]+) us each"
    native = min(number(bare("pingpong", 20000), each) for _ in range(3))
    calls = min(number(place.output(*count, "ping", "pong"), each) for _ in range(3))
    lines = min(number(place.output("--arg", "--lines", *count, "ping", "pong"), each)
                for _ in range(3))
    bench("host.message.roundtrip", calls, "us")
    bench("host.message.roundtrip_lines", lines, "us")
    bench("peer.socketpair_roundtrip", native, "us")
    bench("host.message.roundtrip.ratio", calls / native, "x_socketpair")
    rate = max(number(place.output("--arg", "source", "--arg", "50000", "source", "sink"),
                      r"(\d+) a second") for _ in range(3))
    native_rate = max(number(bare("stream", 200000), r"(\d+) a second") for _ in range(3))
    bench("host.message.rate", rate, "per_s")
    bench("peer.socketpair_rate", native_rate, "per_s")
    bench("host.message.rate.ratio", rate / native_rate, "x_socketpair")
    place.close()


def private_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return sum(int(line.split()[1]) for line in f if line.startswith("Private"))


def resident_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))


def available_kb():
    with open("/proc/meminfo", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("MemAvailable"))


def children(pid):
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="ascii", errors="replace") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(path.split("/")[2]))
    return found


def many(count):
    place = Place()
    place.app("counter", f"{MODULES}/idle.wasm", ["count", count], lines=True)
    for i in range(count):
        place.app(f"idle-{i}", f"{MODULES}/idle.wasm",
                  caps=CAPS + '[capabilities.ipc]\nsend = ["counter"]\n', lines=True)
    boot = os.path.join(place.path, "boot.toml")
    with open(boot, "w", encoding="utf-8") as f:
        f.write('[[app]]\nname = "counter"\n')
        f.writelines(f'[[app]]\nname = "idle-{i}"\n' for i in range(count))
    before = available_kb()
    start = time.monotonic()
    child = subprocess.Popen(place.command("--boot", boot), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    text = ""
    for line in child.stdout:
        text += line
        if line.rstrip().endswith("all"):
            break
    else:
        sys.exit(f"the {count} apps did not all start:\n{text[-2000:]}")
    took = time.monotonic() - start
    workers = children(child.pid)
    private = [private_kb(pid) for pid in workers]
    used = before - available_kb()
    bench(f"host.apps{count}.start", took * 1000, "ms")
    bench(f"host.apps{count}.memory", used / 1024, "MB")
    bench(f"host.apps{count}.supervisor", private_kb(child.pid) / 1024, "MB")
    child.terminate()
    start = time.monotonic()
    child.stdout.read()
    child.wait()
    bench(f"host.apps{count}.stop", (time.monotonic() - start) * 1000, "ms")
    place.close()
    return statistics.median(private)


def main():
    print(__doc__)
    starts()
    messages()
    bench("host.idle_private", many(200), "KB")
    many(1000)


if __name__ == "__main__":
    main()
