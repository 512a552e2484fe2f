#!/usr/bin/env python3
"""The arrows between rooms: a room includes only headers from rooms above it, and
the rooms that know nothing of kernels include nothing of a libc but memory and
strings. The rooms and their order are docs/architecture.md's."""
import os
import re
import sys

ROOMS = "base formats trust engine component wasi core display hosts kernel sdk apps image".split()
ORDER = {room: i for i, room in enumerate(ROOMS)}
# Sampurna is below the hosts in the list but uses only these.
ONLY = {"kernel": {"base", "formats"}, "apps": set(), "engine": {"base"}}
FREESTANDING = {"base", "formats", "engine", "component", "wasi", "core", "display"}
ALLOWED = {"stdbool.h", "stddef.h", "stdint.h", "string.h", "limits.h", "stdalign.h",
           "stdnoreturn.h", "stdarg.h", "float.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def sources():
    for room in ROOMS:
        for folder, _, files in os.walk(room):
            for name in sorted(files):
                if name.endswith((".c", ".h", ".S")):
                    yield room, os.path.join(folder, name)


def faults_of(room, path, text):
    for hit in INCLUDE.finditer(text):
        quote, header = hit.groups()
        line = text.count("\n", 0, hit.start(1)) + 1
        target = header.split("/")[0]
        if quote == '"' and "/" in header and target in ORDER and target != room:
            allowed = ONLY.get(room)
            if ORDER[target] > ORDER[room] or (allowed is not None and target not in allowed):
                yield f"{path}:{line}: {room} may not include {header}"
        if quote == "<" and room in FREESTANDING and header not in ALLOWED:
            yield f"{path}:{line}: {room} is freestanding and may not include <{header}>"


def self_check():
    """The check itself must be able to fail."""
    bad = list(faults_of("engine", "x.c", '#include "core/core.h"\n#include <stdio.h>\n'))
    good = list(faults_of("hosts", "x.c", '#include "core/core.h"\n#include <stdio.h>\n'))
    return len(bad) == 2 and not good


def main():
    faults, seen = [], 0
    for room, path in sources():
        seen += 1
        with open(path, encoding="utf-8") as f:
            text = f.read()
        faults += faults_of(room, path, text)
        if len(text.splitlines()) > 900:
            faults.append(f"{path}: over 900 lines: it does more than one job")
    for fault in faults:
        print("# " + fault)
    print(("ok" if self_check() else "not ok") + " 1 - the check finds a wrong arrow")
    print(("ok" if seen and not faults else "not ok") + f" 2 - includes of {seen} files point upwards")
    print("1..2")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
