#!/usr/bin/env python3
"""What ships, in bytes: the kernel as it is stored, the two programs without debug
information, and kernel and packed initial file system together."""
import os

IMAGE = "out/image/"


def total(*names):
    return sum(os.path.getsize(IMAGE + name) for name in names)


def main():
    print(__doc__)
    print(f"BENCH size.kernel {total('bzImage')} bytes")
    print(f"BENCH size.supervisor_and_worker {total('root/vyoma-init', 'root/vyoma-run')} bytes")
    print(f"BENCH size.initramfs {total('initramfs.cpio.xz')} bytes")
    print(f"BENCH size.image {total('bzImage', 'initramfs.cpio.xz')} bytes")


if __name__ == "__main__":
    main()
