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


if __name__ == "__main__":
    machine.run_cases(terminal_session, taken_port, no_qemu, bad_share)
