#!/usr/bin/env -S python3 -B
"""`image/run` as a person starts it: on a terminal, and when something is in the way."""
# timeout 300
import os
import pty
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time

import machine


class Terminal:
    """image/run on a terminal of its own."""

    def __init__(self, *arguments):
        ours, theirs = pty.openpty()
        self.fd, self.text = ours, ""
        self.process = subprocess.Popen(["image/run", *arguments], stdin=theirs, stdout=theirs,
                                        stderr=theirs, start_new_session=True)
        os.close(theirs)

    def wait_for(self, pattern, seconds=machine.PATIENCE_S):
        deadline = time.monotonic() + seconds
        while not (hit := re.search(pattern, self.text)):
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.fd], [], [], left)[0], self.text[-2000:]
            try:
                self.text += os.read(self.fd, 65536).decode("utf-8", "replace")
            except OSError:
                raise AssertionError("it ended:\n" + self.text[-2000:]) from None
        return hit

    def type(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


def terminal_session():
    """On a terminal: says how to leave, boots, and Ctrl-A X ends it"""
    t = Terminal()
    try:
        t.wait_for("Ctrl-A X")
        t.wait_for("vyoma> ")
        t.type("help\r")
        t.wait_for("poweroff +end everything")
        t.type("\x01x")
        assert t.process.wait(20) == 0, t.text[-2000:]
    finally:
        t.close()


def taken_port():
    """A taken port is replaced by a free one, and that is said"""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        taken = s.getsockname()[1]
        t = Terminal("--http-port", str(taken))
        try:
            port = t.wait_for(rf"port {taken} is taken, so port (\d+) leads").group(1)
            t.wait_for("http-server: ready")
            page = subprocess.run(["curl", "-sS", "--max-time", "20", "--retry", "3",
                                   f"http://127.0.0.1:{port}/"],
                                  capture_output=True, text=True, check=True)
            assert "It works" in page.stdout, page.stdout
        finally:
            t.close()


def no_qemu():
    """Without QEMU it says which package to install"""
    with tempfile.TemporaryDirectory(dir=machine.scratch()) as bin_dir:
        for tool in ("env", "python3"):
            os.symlink(os.path.realpath(shutil.which(tool)), os.path.join(bin_dir, tool))
        done = subprocess.run(["image/run"], capture_output=True, text=True,
                              env={"PATH": os.path.abspath(bin_dir)})
        assert done.returncode == 1 and "apt-get install qemu-system-x86" in done.stderr, \
            f"{done.returncode}: {done.stderr}"


def bad_share():
    """A share that is no folder is refused"""
    done = subprocess.run(["image/run", "--share", "/nowhere"], capture_output=True, text=True)
    assert done.returncode == 2 and "is not a folder" in done.stderr, done.stderr


def what_was_asked_for():
    """Memory, share, kernel, port and words reach the machine, headless or not; port 0 is any"""
    with tempfile.TemporaryDirectory(dir=machine.scratch()) as folder:
        folder = os.path.abspath(folder)
        share, kernel = os.path.join(folder, "a share"), os.path.join(folder, "a kernel")
        os.mkdir(share)
        with open(kernel, "w", encoding="utf-8"), \
                open(os.path.join(folder, machine.qemu.PROGRAM), "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\nprintf "%s\\n" "$@" >"{folder}/said"\nexit 1\n')
        os.chmod(f.name, 0o755)
        for headless in ([], ["--headless"]):
            done = subprocess.run(["image/run", *headless, "--memory", "64", "--share", share,
                                   "--kernel", kernel, "--http-port", "0", "--append", "a=b c=d"],
                                  capture_output=True, text=True,
                                  env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
            with open(os.path.join(folder, "said"), encoding="utf-8") as f:
                said = f.read()
            os.remove(f.name)
            assert "\n64\n" in said and kernel in said and f"path={share}" in said, said
            assert " a=b c=d\n" in said and re.search(r":\d+-:8080", said), said
            assert "is taken" not in done.stdout, done.stdout


if __name__ == "__main__":
    machine.run_cases(terminal_session, taken_port, no_qemu, bad_share, what_was_asked_for)
