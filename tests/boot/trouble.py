#!/usr/bin/env -S python3 -B
"""A booted machine on which something is wrong: the supervisor itself, the disk, boot.toml."""
# timeout 600
import os
import re
import subprocess
import tempfile

import machine
from machine import Machine

PROMPT = "vyoma> "


def must(happened, m, why):
    if not happened:
        raise AssertionError(f"{why}; the console's end:\n{m.tail()}")


def power_off(m):
    m.send("poweroff\n")
    must(m.wait_off() == 0, m, "poweroff failed")


def supervisor_crashes():
    """A supervisor that crashes ends all apps, starts anew in process 1, and goes on"""
    disk = machine.fresh_disk()
    try:
        with Machine(disk=disk, initramfs="out/image/crash.cpio") as m:
            m.wait_for(PROMPT)
            m.wait_for("the supervisor failed with signal 11 and starts anew")
            m.wait_for(r"(?s)ready.*vyoma> |vyoma> .*ready", regex=True)
            must("not available" not in m.transcript, m, "a layer of the sandbox is missing now")
            must("shell" in m.ask("ps", PROMPT), m, "ps does not answer")
            must('"result":"ok"' in m.ask("audit 50", PROMPT), m, "the audit log was not taken up")
            must(" ok" in m.ask("verify shell", PROMPT), m, "verify does not answer")
            power_off(m)
        check = subprocess.run(["/sbin/e2fsck", "-fp", disk], capture_output=True, text=True)
        must(check.returncode == 0, m, check.stdout + check.stderr)
    finally:
        os.unlink(disk)


def bad_boot_toml():
    """A boot.toml that is wrong: place and reason are said, and the machine is off"""
    with tempfile.TemporaryDirectory(dir=machine.scratch()) as share:
        with open(os.path.join(share, "boot.toml"), "w") as f:
            f.write('[system]\nfocus = "shell"\n[[app]]\nname = "shell"\nrestrat = "always"\n')
        with Machine(disk=True, share=share) as m:
            m.wait_for("boot.toml:5:1: unknown key 'restrat'")
            must(m.wait_off() == 0, m, "it is not off")


def boot_toml_is_a_pipe():
    """A pipe in boot.toml's place is said, and the image's own counts"""
    with tempfile.TemporaryDirectory(dir=machine.scratch()) as share:
        os.mkfifo(os.path.join(share, "boot.toml"))
        with Machine(disk=True, share=share) as m:
            m.wait_for("/share/boot.toml cannot be read")
            m.wait_for(PROMPT)


def no_file_system():
    """A disk without a file system is said, left alone, and memory takes its place"""
    disk = machine.fresh_disk()
    with open(disk, "r+b") as f:
        f.write(os.urandom(1 << 20))
    with open(disk, "rb") as f:
        before = f.read()
    try:
        with Machine(disk=disk) as m:
            m.wait_for("/dev/vda cannot be used as ext4")
            m.wait_for(PROMPT)
            m.send("start storage-demo\n")
            m.wait_for("start number 1: ok")
            power_off(m)
        with open(disk, "rb") as f:
            must(f.read() == before, m, "the disk was written to")
    finally:
        os.unlink(disk)


def spoilt_audit_log():
    """An audit log that was tampered with is said at every start, and gone on with"""
    with tempfile.TemporaryDirectory(dir=machine.scratch()) as contents:
        os.mkdir(f"{contents}/system")
        with open(f"{contents}/system/audit.jsonl", "w") as f:
            f.write('{"ts":"2026-01-01T00:00:00.000Z","seq":1,"event":"exit","prev":"00"}\n'
                    + "x" * 5000 + "\n")
        disk = machine.fresh_disk(contents=contents)
    try:
        with Machine(disk=disk) as m:
            m.wait_for("the audit log's chain is broken")
            m.wait_for(PROMPT)
            must('"result":"broken"' in m.ask("audit 50", PROMPT), m, "it is not in the record")
            power_off(m)
        with Machine(disk=disk) as m:
            m.wait_for("the audit log's chain is broken")
            m.wait_for(PROMPT)
            must('"event":"spawn","app":"shell"' in m.ask("audit 50", PROMPT), m, "no new records")
    finally:
        os.unlink(disk)


def filled_disk(*folders):
    """With hardly anything free: as much in one file as an empty one of that size has."""
    disk = machine.fresh_disk(8)
    facts = subprocess.run(["/sbin/dumpe2fs", "-h", disk], capture_output=True, text=True).stdout
    os.unlink(disk)
    free, block = (int(re.search(rf"^{name}: +(\d+)$", facts, re.M).group(1))
                   for name in ("Free blocks", "Block size"))
    with tempfile.TemporaryDirectory(dir=machine.scratch()) as contents:
        with open(f"{contents}/filler", "wb") as f:
            f.write(b"x" * ((free - 8 - len(folders)) * block))
        for folder in folders:
            os.makedirs(f"{contents}/{folder}")
        return machine.fresh_disk(8, contents)


def full_disk():
    """On a full disk apps are told, lost audit records are said, and the rest goes on"""
    disk = filled_disk()
    try:
        with Machine(disk=disk) as m:
            m.wait_for("/data/apps: No space left on device")
            m.wait_for("audit.jsonl: No such file or directory")
            m.wait_for("audit records could not be stored")
            m.send("start storage-demo\n")
            m.wait_for("there is no place for data")
            m.send("start calculator\n")
            m.wait_for("starting calculator")
            m.send("calculator: 6*7\n")
            m.wait_for("calculator: = 42")
            power_off(m)
    finally:
        os.unlink(disk)


def full_used_disk():
    """The same on a full disk that was in use"""
    disk = filled_disk("system", "apps", "apps/notes", "apps/http-server")
    try:
        with Machine(disk=disk) as m:
            m.wait_for("audit records could not be stored")
            m.wait_for("http-server: ready")
            m.send("start notes\n")
            m.wait_for("starting notes")
            m.send("notes: add " + "hello" * 20 + "\n")
            m.wait_for("could not be stored: nospc")
            power_off(m)
    finally:
        os.unlink(disk)


if __name__ == "__main__":
    machine.run_cases(supervisor_crashes, bad_boot_toml, boot_toml_is_a_pipe, no_file_system,
                      spoilt_audit_log, full_disk, full_used_disk)
