"""What the tests of apps and of the command share: TAP, and runs of `vyoma`."""
import contextlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

VYOMA = os.path.abspath("out/bin/vyoma")
APPS = os.path.abspath("out/apps")

_cases = []


def check(name, ok, why=""):
    _cases.append(bool(ok))
    print(f"{'ok' if ok else 'not ok'} {len(_cases)} - {name}", flush=True)
    if not ok:
        for line in str(why).splitlines()[:30]:
            print(f"#   {line}")


def equal(name, got, want):
    check(name, got == want, f"got    {got!r}\nwanted {want!r}")


def done():
    print(f"1..{len(_cases)}")
    sys.exit(0 if all(_cases) else 1)


@contextlib.contextmanager
def folder():
    path = tempfile.mkdtemp(prefix="vyoma-test-")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __str__(self):
        return f"exit {self.code}\nstdout: {self.out}\nstderr: {self.err}"


def vyoma(*args, stdin=b"", cwd=None, env=None, timeout=60):
    """One run of the command. stdin None: kept open and empty."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("VYOMA_", "XDG_"))}
    environment.update(env or {})
    child = subprocess.Popen([VYOMA, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, cwd=cwd, env=environment)
    try:
        if stdin is None:
            code = child.wait(timeout)
            out, err = child.stdout.read(), child.stderr.read()
            child.stdin.close()
        else:
            out, err = child.communicate(stdin, timeout)
            code = child.returncode
    except subprocess.TimeoutExpired:
        child.kill()
        out, err = child.communicate()
        code = "timeout"
    return Result(code, out.decode(errors="replace"), err.decode(errors="replace"))


def run_app(name, *args, data=None, options=(), others=(), **kwargs):
    """`vyoma run` of an app as it ships."""
    where = ["--data", data] if data else []
    return vyoma("run", "-q", *where, *options, os.path.join(APPS, name),
                 *(os.path.join(APPS, o) for o in others), "--", *args, **kwargs)


class Running:
    """`vyoma run` in the background, its output in files."""

    def __init__(self, *args):
        self.out = tempfile.TemporaryFile()
        self.child = subprocess.Popen([VYOMA, "run", *args], stdin=subprocess.PIPE,
                                      stdout=self.out, stderr=self.out)

    def output(self):
        self.out.seek(0)
        return self.out.read().decode(errors="replace")

    def wait_for(self, text, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.child.poll() is None:
            if text in self.output():
                return True
            time.sleep(0.05)
        return text in self.output()

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(15)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait()


class Terminal:
    """`vyoma run` on a terminal of its own."""

    def __init__(self, *args, columns=80):
        self.columns = columns
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(VYOMA, [VYOMA, "run", *args])

    def read(self, seconds=0.2):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self.fd], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            text = data.decode(errors="replace")
            self.seen += text
            if "\x1b[6n" in text:  # as a terminal answers
                os.write(self.fd, b"\x1b[1;%dR" % self.columns)

    def wait_for(self, pattern, seconds=8):
        """Reads until the pattern is in what came since the last match; returns the match.
        Line ends are one newline in it, whatever the terminal makes of them."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.seen = re.sub(r"\r*\n\r*", "\n", self.seen)
            hit = re.search(pattern, self.seen)
            if hit:
                self.seen = self.seen[hit.end():]
                return hit
            self.read(0.1)
        return None

    def send(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        """The exit code; killed when it has not ended."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None
