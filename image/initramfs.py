#!/usr/bin/env python3
"""Writes an initial file system as a `newc` cpio archive, the same bytes every time.

usage: image/initramfs.py OUT NAME[=SOURCE] ...

Each NAME is a path in the archive, without the leading slash. NAME=SOURCE is a
regular file with SOURCE's bytes, executable when NAME is `init` or under bin/;
NAME/ is an empty folder. Folders above a file are made. Entries are sorted; owner,
time, device and inode numbers come from nothing but their order.
"""
import sys

DIRECTORY = 0o040555
MOUNT_POINT = 0o040755
FILE = 0o100444
PROGRAM = 0o100555
# The kernel opens it for the first program before anyone could mount /dev.
CONSOLE = (0o020600, 5, 1)


def entry(inode, name, mode, data=b"", device=(0, 0)):
    """One header in the form that Documentation/driver-api/early-userspace/buffer-format
    of Linux gives, with the name and the data, each padded to four bytes."""
    path = name.encode() + b"\0"
    links = 2 if mode & 0o170000 == 0o040000 else 1
    fields = (inode, mode, 0, 0, links, 0, len(data), 0, 0, *device, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + path
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def tree(wanted):
    """{path: (mode, data, device)} with every folder above every path."""
    nodes = {"dev": (MOUNT_POINT, b"", (0, 0)), "dev/console": (CONSOLE[0], b"", CONSOLE[1:])}
    for item in wanted:
        name, _, source = item.partition("=")
        if name.endswith("/"):
            nodes[name.rstrip("/")] = (MOUNT_POINT, b"", (0, 0))
            continue
        with open(source, "rb") as f:
            program = name == "init" or name.startswith("bin/")
            nodes[name] = (PROGRAM if program else FILE, f.read(), (0, 0))
        parts = name.split("/")
        for i in range(1, len(parts)):
            nodes.setdefault("/".join(parts[:i]), (DIRECTORY, b"", (0, 0)))
    return nodes


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    nodes = tree(sys.argv[2:])
    archive = b"".join(entry(inode, name, *nodes[name])
                       for inode, name in enumerate(sorted(nodes), 1))
    archive += entry(0, "TRAILER!!!", 0)
    with open(sys.argv[1], "wb") as f:
        f.write(archive + bytes(-len(archive) % 512))


if __name__ == "__main__":
    main()
