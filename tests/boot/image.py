#!/usr/bin/env -S python3 -B
"""What the image holds, and what it weighs."""
import os
import stat
import struct
import subprocess

import machine

ARCHIVE = "out/image/initramfs.cpio"
EMPTY = {"dev", "proc", "sys", "data", "share", "run"}
KERNEL_MAX = 2_300_000
PROGRAMS_MAX = 1_000_000
IMAGE_MAX = 4_000_000


def entries():
    """{path: (mode, bytes)} of a newc archive."""
    with open(ARCHIVE, "rb") as f:
        data = f.read()
    found, at = {}, 0
    while True:
        assert data[at:at + 6] == b"070701", f"no header at {at}"
        fields = [int(data[at + 6 + i * 8:at + 14 + i * 8], 16) for i in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[at + 110:at + 110 + name_size - 1].decode()
        body = (at + 110 + name_size + 3) & ~3
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, data[body:body + size])
        at = (body + size + 3) & ~3


def only_what_belongs():
    """The initial file system holds supervisor, worker, apps and boot.toml, nothing else"""
    apps = set(os.listdir("out/apps"))
    for path, (mode, _) in entries().items():
        parts = path.split("/")
        if stat.S_ISDIR(mode):
            assert path in EMPTY | {"bin", "apps"} or parts[0] == "apps", path
        elif parts[0] == "apps":
            assert parts[1] in apps and parts[2:] in (["vyoma.toml"], [parts[1] + ".wasm"]), path
        else:
            assert path in {"init", "bin/vyoma-run", "boot.toml", "dev/console"}, path


def programs_are_static():
    """Both programs are static and stripped"""
    for path, (mode, data) in entries().items():
        if not mode & 0o111 or not stat.S_ISREG(mode):
            continue
        assert data[:4] == b"\x7fELF", path
        table, = struct.unpack_from("<Q", data, 32)
        size, count = struct.unpack_from("<HH", data, 54)
        kinds = [struct.unpack_from("<I", data, table + i * size)[0] for i in range(count)]
        assert 3 not in kinds, f"{path} wants an interpreter"
        assert b".debug_info" not in data, f"{path} has debug information"


def nothing_is_writable():
    """No file of it can be written, by anyone"""
    for path, (mode, _) in entries().items():
        assert not stat.S_ISREG(mode) or not mode & 0o222, path


def kernel_size():
    """The kernel is under 2.3 MB"""
    size = os.path.getsize("out/image/bzImage")
    assert size < KERNEL_MAX, size


def programs_size():
    """Supervisor and worker are under 1 MB together"""
    found = entries()
    size = len(found["init"][1]) + len(found["bin/vyoma-run"][1])
    assert size < PROGRAMS_MAX, size


def image_size():
    """Kernel and packed initial file system are under 4 MB"""
    size = sum(os.path.getsize("out/image/" + f) for f in ("bzImage", "initramfs.cpio.xz"))
    assert size < IMAGE_MAX, size


def disk_is_sound():
    """A new data disk is a sound ext4"""
    path = machine.fresh_disk()
    try:
        subprocess.run(["/sbin/e2fsck", "-fn", path], check=True, capture_output=True)
        assert os.stat(path).st_blocks * 512 < 8 << 20, "it is not sparse"
    finally:
        os.unlink(path)


if __name__ == "__main__":
    machine.run_cases(only_what_belongs, programs_are_static, nothing_is_writable, kernel_size,
                      programs_size, image_size, disk_is_sound)
