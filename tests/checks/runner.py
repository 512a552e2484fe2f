#!/usr/bin/env python3
"""tests/run itself: that what did not pass is counted, and that docs/features.md is held to it; and
that make fuzz is given a time."""
import os
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CASES = {
    "passes": "echo 'ok 1 - a'; echo 'ok 2 - b'; echo 1..2",
    "fails": "echo 'ok 1 - a'; echo 'not ok 2 - b'; echo 1..2",
    "skips": "echo 'ok 1 - a # SKIP no such machine'; echo 1..1",
    "dies": "echo 'ok 1 - a'; echo 1..1; kill -9 $$",
    "ends-early": "echo 'ok 1 - a'; echo 1..3",
    "plans-nothing": "echo 'ok 1 - a'",
    "says-nothing": "true",
    "too-long": "# timeout 1\nsleep 20",
}
WANTED = {"passes": (2, 0, 0), "fails": (1, 1, 0), "skips": (0, 0, 1), "dies": (1, 1, 0),
          "ends-early": (1, 1, 0), "plans-nothing": (1, 1, 0), "says-nothing": (0, 1, 0),
          "too-long": (0, 1, 0), "missing": (0, 1, 0)}
LEDGER = [("t/passes", ""), ("t/passes:b", ""), ("t/fails", "failed or was skipped"),
          ("t/skips", "failed or was skipped"), ("t/nowhere", "does not exist or did not run"),
          ("t/passes:c", "has no passing case"), ("", "names no test")]
count = 0


def check(what, good, why=""):
    global count
    count += 1
    print(f"{'' if good else 'not '}ok {count} - {what}")
    if not good:
        print(f"# {why}")


def run(place, *names, ledger=None):
    tests = [f"t/{name}={place}/{name}" for name in names]
    child = subprocess.run([f"{TOP}/tests/run", *(["--ledger", ledger] if ledger else []), *tests],
                           cwd=place, capture_output=True, text=True, check=False)
    return child.returncode, child.stdout.splitlines()


def main():
    with tempfile.TemporaryDirectory() as place:
        for name, script in CASES.items():
            with open(f"{place}/{name}", "w", encoding="utf-8") as f:
                f.write(f"#!/bin/sh\n{script}\n")
            os.chmod(f"{place}/{name}", 0o755)
        for name, (passed, failed, skipped) in WANTED.items():
            code, lines = run(place, name)
            check(f"a test that {name}", code == (1 if failed else 0) and lines and
                  lines[-1] == f"{passed} passed, {failed} failed, {skipped} skipped", lines)
        for seconds in ("x", "0", "-5", ""):
            child = subprocess.run([f"{TOP}/tests/fuzz/all", seconds, f"a={place}/too-long"],
                                   capture_output=True, text=True, timeout=10, check=False)
            check(f"fuzzing for '{seconds}' seconds", child.returncode == 64, child)
        for names, fault in LEDGER:
            path = f"{place}/ledger.md"
            with open(path, "w", encoding="utf-8") as f:
                f.write(f"| Feature | Command | Test |\n|---|---|---|\n| x | `y` | `{names}` |\n")
            code, lines = run(place, "passes", "fails", "skips", ledger=path)
            said = [line for line in lines if "ledger.md:3:" in line]
            check(f"a row with {names or 'no test'}", code == 1 and
                  (len(said) == 1 and fault in said[0] if fault else not said), lines)
    print(f"1..{count}")


main()
