"""A booted machine under a test's control. Python's standard library only.

    with Machine() as m:
        m.wait_for("vyoma> ")
        m.send("ps\n")
        m.wait_for("shell")

What the machine printed is kept in m.transcript. Everything waits at most a stated
time; a machine that is no longer wanted is killed. Files are kept under out/test-boot/.
"""
import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "image"))
import qemu  # noqa: E402

os.chdir(TOP)
SCRATCH = "out/test-boot"
# Boots take one to three seconds; a busy machine of two processors deserves patience.
PATIENCE_S = 60
ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[=>])")


class Timeout(Exception):
    pass


class Died(Exception):
    pass


class Machine:
    """Arguments are those of qemu.arguments. disk=True makes a fresh data disk."""

    def __init__(self, disk=None, **machine):
        self._own_disk = None
        if disk is True:
            disk = self._own_disk = fresh_disk()
        self.transcript = ""
        self._seen = 0  # how much of the transcript wait_for has consumed
        self.started_at = time.monotonic()
        ours, theirs = socket.socketpair()
        command = qemu.arguments(disk=disk, **machine) + [
            "-serial", "stdio",
            "-chardev", f"socket,id=qmp,fd={theirs.fileno()}",
            "-mon", "chardev=qmp,mode=control"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            pass_fds=[theirs.fileno()], bufsize=0)
        theirs.close()
        ours.settimeout(PATIENCE_S)
        self._qmp_socket = ours
        self._qmp = ours.makefile("rw", encoding="utf-8")
        self._qmp_ready = False

    # --- the console -------------------------------------------------------

    def _read(self, seconds):
        """Takes in what the console has; False when nothing came in time."""
        if not select.select([self.process.stdout], [], [], max(0, seconds))[0]:
            return False
        data = os.read(self.process.stdout.fileno(), 65536)
        if not data:
            raise EOFError
        self.transcript += data.decode("utf-8", "replace")
        return True

    def wait_for(self, pattern, seconds=PATIENCE_S, regex=False):
        """Waits until the console shows pattern after what was waited for before.
        Returns the match (regex) or the text up to and with the pattern."""
        search = re.compile(pattern if regex else re.escape(pattern), re.M)
        deadline = time.monotonic() + seconds
        while True:
            hit = search.search(self.transcript, self._seen)
            if hit:
                before = self.transcript[self._seen:hit.end()]
                self._seen = hit.end()
                return hit if regex else before
            try:
                if not self._read(deadline - time.monotonic()):
                    raise Timeout(f"no {pattern!r} in {seconds} s; the console's end:\n"
                                  + self.tail())
            except EOFError:
                raise Died(f"the machine ended before {pattern!r}; the console's end:\n"
                           + self.tail()) from None

    def settle(self, seconds):
        """Takes in what comes in this time, without waiting for anything in it."""
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                self._read(deadline - time.monotonic())
        except EOFError:
            pass

    def send(self, text):
        self.process.stdin.write(text.encode())

    def ask(self, line, prompt, seconds=PATIENCE_S):
        """Types a line at a shell and returns what it answers up to its next prompt."""
        self.send(line + "\n")
        self.wait_for(line, seconds)  # the echo
        answer = self.wait_for(prompt, seconds)
        return plain(answer[:-len(prompt)]).strip("\n")

    def wait_off(self, seconds=PATIENCE_S):
        """Waits for the machine to end by itself; QEMU's exit status."""
        deadline = time.monotonic() + seconds
        try:
            while self._read(deadline - time.monotonic()):
                pass
            raise Timeout(f"still running after {seconds} s; the console's end:\n" + self.tail())
        except EOFError:
            return self.process.wait(PATIENCE_S)

    def tail(self, lines=25):
        return "\n".join("    # " + t for t in plain(self.transcript).splitlines()[-lines:])

    # --- the machine's own buttons ------------------------------------------

    def qmp(self, command, **arguments):
        """One QMP command and its answer; events in between are dropped."""
        if not self._qmp_ready:
            self._qmp.readline()  # the greeting
            self._qmp_ready = True
            self.qmp("qmp_capabilities")
        self._qmp.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._qmp.flush()
        while True:
            line = self._qmp.readline()
            if not line:
                raise Died("the machine ended during " + command)
            answer = json.loads(line)
            if "error" in answer:
                raise Died(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def press_power_button(self):
        self.qmp("system_powerdown")

    def press_ctrl_alt_del(self):
        keys = [{"type": "qcode", "data": key} for key in ("ctrl", "alt", "delete")]
        self.qmp("send-key", keys=keys)

    def cut_power(self):
        """As if the plug were pulled: nothing inside gets to know."""
        self.process.kill()
        self.process.wait()

    def elapsed_ms(self):
        return (time.monotonic() - self.started_at) * 1000

    def memory_kb(self):
        """What the machine takes of this one's memory."""
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    # --- the end --------------------------------------------------------------

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self._qmp.close()
        self._qmp_socket.close()
        if self._own_disk:
            os.unlink(self._own_disk)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def plain(text):
    """Without terminal escapes and carriage returns, as a person reads it."""
    return ESCAPES.sub("", text).replace("\r", "")


def scratch():
    os.makedirs(SCRATCH, exist_ok=True)
    return SCRATCH


def fresh_disk(megabytes=64, contents=None):
    handle, path = tempfile.mkstemp(suffix=".img", dir=scratch())
    os.close(handle)
    qemu.make_disk(path, megabytes, contents)
    return path


class Tap:
    """Prints results as they come: case("what", passed)."""

    def __init__(self):
        self.count = self.failed = 0

    def case(self, what, passed, why=""):
        self.count += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count} - {what}", flush=True)
        if not passed and why:
            print("\n".join("    # " + line for line in str(why).splitlines()), flush=True)
        return passed

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def run_cases(*functions):
    """Each function is a case: its first line of documentation names it; it fails by
    raising. So one broken case does not take the others with it."""
    tap = Tap()
    for function in functions:
        name = (function.__doc__ or function.__name__).splitlines()[0].strip().rstrip(".")
        try:
            function()
            tap.case(name, True)
        except (AssertionError, Timeout, Died, OSError, subprocess.SubprocessError) as e:
            tap.case(name, False, f"{type(e).__name__}: {e}")
    tap.done()
