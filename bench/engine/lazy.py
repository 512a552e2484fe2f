#!/usr/bin/env python3
"""What compiling a function when it is first called could save when an app starts.

Each module is run with a mark at the start of every function until it first writes, reads or
waits. A second copy keeps the bodies of the functions that ran and traps in all others: to
load it is what no lazy compiler can do without, and less, since the other bodies must be
validated before anything runs, and be given stubs."""
import os
import subprocess
import sys
import tempfile

from common import OUT, medians, runner

BASELINE = "baseline"
APPS = ("hello", "clock", "shell", "http-server")
MODULES = [f"out/apps/{app}/{app}.wasm" for app in APPS] + [f"{OUT}/large.wasm"]
MARKS = "marks"  # exported memory; one byte a defined function
FIRST_OUTPUT = ("fd_write", "fd_read", "poll_oneoff", "sock_accept", "msg_send", "msg_recv")
IMPORT, MEMORY, EXPORT, CODE = 2, 5, 7, 10
PAGE = 65536


def leb(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    return bytes(out) + bytes([n])


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def u32(self):
        n = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            n |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return n

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def name(self):
        return self.take(self.u32())


def sections(module):
    r, found = Reader(module, 8), []
    while r.at < len(module):
        kind = r.take(1)[0]
        found.append((kind, r.take(r.u32())))
    return found


def join(parts):
    return b"\0asm\1\0\0\0" + b"".join(bytes([k]) + leb(len(b)) + b for k, b in parts)


def bodies(code):
    r = Reader(code)
    return [r.take(r.u32()) for _ in range(r.u32())]


def code_section(found):
    return leb(len(found)) + b"".join(leb(len(b)) + b for b in found)


def behind_locals(body):
    r = Reader(body)
    for _ in range(r.u32()):
        r.u32()
        if r.take(1)[0] in (0x63, 0x64):
            r.u32()
    return r.at


def limits(r):
    flags = r.u32()
    r.u32()
    if flags & 1:
        r.u32()


def imports_that_end(section):
    """What is called when there is something to see ends the run."""
    r, out = Reader(section), bytearray()
    n = r.u32()
    out += leb(n)
    for _ in range(n):
        module, name, start = r.name(), r.name(), r.at
        kind = r.take(1)[0]
        if kind == 0:
            r.u32()
            name = b"proc_exit" if name.decode() in FIRST_OUTPUT else name
        elif kind == 1:
            r.take(1)
            limits(r)
        elif kind == 2:
            limits(r)
        else:
            r.take(2)
        out += leb(len(module)) + module + leb(len(name)) + name + section[start:r.at]
    return bytes(out)


def one_more(section, entry):
    r = Reader(section)
    return leb(r.u32() + 1) + section[r.at:] + entry


def marked(module):
    """The module with marks; it has one memory, its own."""
    out = []
    for kind, body in sections(module):
        if kind == IMPORT:
            body = imports_that_end(body)
        elif kind == MEMORY:
            body = one_more(body, b"\0\1")
        elif kind == EXPORT:
            body = one_more(body, leb(len(MARKS)) + MARKS.encode() + b"\2\1")
        elif kind == CODE:
            found = bodies(body)
            assert len(found) <= PAGE
            for i, b in enumerate(found):
                at = behind_locals(b)
                # i32.const 0, i32.const 1, i32.store8 (memory 1) offset=i
                mark = b"\x41\0\x41\1\x3a\x40\1" + leb(i)
                found[i] = b[:at] + mark + b[at:]
            body = code_section(found)
        out.append((kind, body))
    return join(out)


def only(module, ran):
    """The module with traps for bodies of functions that did not run."""
    out = []
    for kind, body in sections(module):
        if kind == CODE:
            body = code_section([b if i in ran else b"\0\0\x0b" for i, b in enumerate(bodies(body))])
        out.append((kind, body))
    return join(out)


def measure(path, scratch):
    with open(path, "rb") as f:
        module = f.read()
    name = os.path.basename(path)[:-len(".wasm")]
    files = [os.path.join(scratch, f"{name}-{what}.wasm") for what in ("marked", "only")]
    with open(files[0], "wb") as f:
        f.write(marked(module))
    ran = set(map(int, subprocess.run([*runner(BASELINE), "marks", files[0]], check=True,
                                      stdout=subprocess.PIPE, text=True).stdout.split()))
    with open(files[1], "wb") as f:
        f.write(only(module, ran))
    code = bodies(dict(sections(module))[CODE])
    count = 100 if len(module) > 100000 else 1000
    whole, least = (medians(BASELINE, "load", p, count)[0] / 1000 for p in (path, files[1]))
    size, part = sum(map(len, code)), sum(len(code[i]) for i in ran)
    print(f"{name:14} {len(code):5} functions, {len(ran):4} ran; of {size:7,} bytes of code "
          f"{part:7,}, {100 * part / size:3.0f} %")
    print(f"BENCH engine.baseline.lazy.{name}.whole {whole:.1f} us")
    print(f"BENCH engine.baseline.lazy.{name}.least {least:.1f} us")


def main():
    print("Loading compiled, wall time: whole, and the least that lazily compiling could take.")
    with tempfile.TemporaryDirectory() as scratch:
        for path in sys.argv[1:] or MODULES:
            measure(path, scratch)


if __name__ == "__main__":
    main()
