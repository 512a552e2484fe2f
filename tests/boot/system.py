#!/usr/bin/env -S python3 -B
"""The whole system in a booted machine: what a person at the console, the network, the
disk and the power button see of it."""
# timeout 900
import os
import re
import shutil
import subprocess
import tempfile
import time

import machine
from machine import Machine

PROMPT = "vyoma> "


def boot(**options):
    m = Machine(**options)
    try:
        m.wait_for(PROMPT)
    except BaseException:
        m.close()
        raise
    return m


def must(happened, m, why):
    if not happened:
        raise AssertionError(f"{why}; the console's end:\n{m.tail()}")


def pid_of(m, app):
    """The process of a running app, from ps; None when it does not run."""
    hit = re.search(rf"^{app} +(\d+) +running", m.ask("ps", PROMPT), re.M)
    return int(hit.group(1)) if hit else None


def wait_running(m, app, but_not=None):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        pid = pid_of(m, app)
        if pid and pid != but_not:
            return pid
        time.sleep(0.2)
    must(False, m, f"{app} does not run")


# --- apps --------------------------------------------------------------------------------

def apps_answer():
    """Apps start on request and answer what is typed to them"""
    with boot(disk=True) as m:
        for app, typed, answer in (("calculator", "6 * 7", "42"),
                                   ("factorial", "10", "3628800")):
            m.ask("start " + app, PROMPT)
            m.send(f"{app}: {typed}\n")
            m.wait_for(answer)


def crashed_app_returns():
    """An app that crashes is back with a new process, and the rest goes on"""
    with tempfile.TemporaryDirectory(dir=machine.scratch()) as share:
        with open(os.path.join(share, "boot.toml"), "w") as f:
            f.write('[system]\nfocus = "shell"\n[[app]]\nname = "shell"\nrestart = "always"\n'
                    '[[app]]\nname = "rogue"\nrestart = "on-failure"\nbackoff_ms = 50\n')
        with boot(disk=True, share=share) as m:
            shell, before = wait_running(m, "shell"), wait_running(m, "rogue")
            m.send("rogue: trap-unreachable\n")
            m.wait_for("trap: unreachable")
            wait_running(m, "rogue", but_not=before)
            must(pid_of(m, "shell") == shell, m, "the shell did not live on")


def killed_app_is_gone():
    """kill ends an app at once, start brings it back"""
    with boot(disk=True) as m:
        before = wait_running(m, "http-server")
        m.ask("kill http-server", PROMPT)
        must(pid_of(m, "http-server") is None, m, "http-server still runs")
        m.ask("start http-server", PROMPT)
        wait_running(m, "http-server", but_not=before)


def share_is_seen():
    """A shared folder's apps run inside"""
    with tempfile.TemporaryDirectory(dir=machine.scratch()) as share:
        guest = os.path.join(share, "apps/visitor")
        os.makedirs(guest)
        shutil.copy("out/apps/hello/hello.wasm", os.path.join(guest, "visitor.wasm"))
        with open("out/apps/hello/vyoma.toml") as f:
            manifest = f.read().replace('"hello"', '"visitor"').replace("hello.wasm",
                                                                       "visitor.wasm")
        with open(os.path.join(guest, "vyoma.toml"), "w") as f:
            f.write(manifest)
        with boot(disk=True, share=share) as m:
            m.send("start visitor\n")
            m.wait_for("[visitor] Hello")


# --- data ----------------------------------------------------------------------------------

def start_number(m):
    m.send("start storage-demo\n")
    return int(m.wait_for(r"start number (\d+)", regex=True).group(1))


def data_survives():
    """Data survives poweroff, reboot and a power cut"""
    disk = machine.fresh_disk()
    try:
        with boot(disk=disk) as m:
            must(start_number(m) == 1, m, "the first start is not number 1")
            m.send("poweroff\n")
            must(m.wait_off() == 0, m, "poweroff failed")
        with boot(disk=disk) as m:
            must(start_number(m) == 2, m, "poweroff lost the first start")
            m.send("reboot\n")
            must(m.wait_off() == 0, m, "reboot failed")
        with boot(disk=disk) as m:
            must(start_number(m) == 3, m, "reboot lost the second start")
            m.wait_for("a line in the diary: ok")
            m.cut_power()
        with boot(disk=disk) as m:
            must(start_number(m) >= 3, m, "the power cut lost what was stored before")
        check = subprocess.run(["/sbin/e2fsck", "-fp", disk], capture_output=True, text=True)
        if check.returncode > 1:  # 1: the journal was replayed
            raise AssertionError(check.stdout + check.stderr)
    finally:
        os.unlink(disk)


def no_disk():
    """Without a data disk the system runs from memory and says so"""
    with Machine() as m:
        before = m.wait_for(PROMPT)
        must("/data is in memory" in before, m, "it does not say that /data is in memory")


# --- power -----------------------------------------------------------------------------------

def stored_audit(disk):
    """The audit log as it lies on a disk whose machine has ended."""
    return subprocess.run(["/sbin/debugfs", "-R", "cat /system/audit.jsonl", disk], check=True,
                          capture_output=True, text=True).stdout


def ordered_end(press):
    disk = machine.fresh_disk()
    try:
        with boot(disk=disk) as m:
            wait_running(m, "http-server")
            press(m)
            must(m.wait_off(30) == 0, m, "QEMU failed")
            must("vyoma: power off" in m.transcript, m, "it did not end in order")
        ends = [line for line in stored_audit(disk).splitlines() if '"event":"exit"' in line]
        for app in ("shell", "http-server"):
            if not any(f'"app":"{app}"' in line for line in ends):
                raise AssertionError(f"no end of {app} in the stored audit log: {ends}")
    finally:
        os.unlink(disk)


def power_button():
    """The power button ends the system in order"""
    ordered_end(Machine.press_power_button)


def ctrl_alt_del():
    """Ctrl-Alt-Del ends the system in order"""
    ordered_end(Machine.press_ctrl_alt_del)


# --- machines ----------------------------------------------------------------------------------

def compressed_kernel():
    """bzImage boots as well, with the packed initramfs"""
    boot(disk=True, kernel="out/image/bzImage", initramfs="out/image/initramfs.cpio.xz").close()


def kernel_address():
    """Where a kernel that finds no first process says that it was loaded."""
    with Machine(kernel="out/image/bzImage", append="rdinit=/none loglevel=5",
                 network=False) as m:
        m.wait_off()
        return re.search(r"Kernel Offset: (\w+)", m.transcript).group(1)


def random_addresses():
    """A kernel from bzImage is at another address every time, and a panic ends the machine"""
    first = kernel_address()
    others = [kernel_address() for _ in range(2)]  # one alike in 500 is chance
    assert first != "disabled" and set(others) != {first}, (first, others)


def many_apps():
    """200 apps run in 512 MB"""
    with Machine(disk=True, memory_mb=512, initramfs="out/image/idle.cpio") as m:
        for _ in range(200):
            m.wait_for(r"\[idle-\d+\] up", regex=True)
        m.settle(1)
        running = re.findall(r"^idle-\d+ +\d+ +running", m.ask("ps", PROMPT), re.M)
        must(len(running) == 200, m, f"{len(running)} of 200 run")


def small_memory():
    """64 MB are enough"""
    boot(disk=True, memory_mb=64).close()


# --- network -------------------------------------------------------------------------------------

def curl(*arguments):
    return subprocess.run(["curl", "-sS", "--max-time", "20", *arguments], check=True,
                          capture_output=True, text=True).stdout


def http_server():
    """http-server answers GET, HEAD and a second request on one connection"""
    port = machine.qemu.free_port()
    url = f"http://127.0.0.1:{port}/"
    with boot(disk=True, forward=[(port, 8080)]) as m:
        wait_running(m, "http-server")
        must("It works" in curl(url), m, "no page")
        must("shell" in curl(url + "status"), m, "the page does not name the running apps")
        must(curl("-I", url).startswith("HTTP/1.1 200"), m, "HEAD is not answered with 200")
        count = curl("-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects}", url, url)
        must(count == "10", m, f"connections made for two requests: {count}")


def http_under_load():
    """http-server answers wrk's 20 connections without an error"""
    port = machine.qemu.free_port()
    with boot(disk=True, forward=[(port, 8080)]) as m:
        wait_running(m, "http-server")
        report = subprocess.run(["wrk", "-t", "1", "-c", "20", "-d", "3",
                                 f"http://127.0.0.1:{port}/"],
                                check=True, capture_output=True, text=True).stdout
        rate = re.search(r"Requests/sec: +([\d.]+)", report)
        must(rate and float(rate.group(1)) > 20, m, report)
        must("Socket errors" not in report and "Non-2xx" not in report, m, report)
        print("# " + rate.group(0))


if __name__ == "__main__":
    machine.run_cases(apps_answer, crashed_app_returns, killed_app_is_gone, share_is_seen, data_survives, no_disk,
                      power_button, ctrl_alt_del, compressed_kernel, random_addresses, many_apps,
                      small_memory, http_server,
                      http_under_load)
