#!/usr/bin/env python3
"""times.py IN N OUT: a module with all functions of IN N times, as large as real large modules
are. What they call are the first ones; custom sections are left out."""
import sys


def number(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def leb(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def main():
    path, times, out_path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with open(path, "rb") as f:
        module = f.read()
    out, at = bytearray(module[:8]), 8
    while at < len(module):
        kind = module[at]
        size, at = number(module, at + 1)
        section, at = module[at:at + size], at + size
        if kind in (3, 10):  # functions and their code: a count, and then so many
            count, start = number(section, 0)
            section = leb(count * times) + section[start:] * times
        if kind:
            out += bytes([kind]) + leb(len(section)) + section
    with open(out_path, "wb") as f:
        f.write(out)


if __name__ == "__main__":
    main()
