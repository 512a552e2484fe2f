"""What the tests of the sandbox share: TAP, apps made on the spot, runs of the supervisor."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

SUPERVISE = "out/rel/bin/sandbox-supervise"
NATIVE = "out/rel/bin/sandbox-native"
WORKER = "out/rel/bin/vyoma-run"
APPS = "out/apps"
# What the hostile native program's attempts come to where it is not EPERM.
FILTERED = {
    "kill_others": "ESRCH", "clone3": "ENOSYS", "new_privs": "EINVAL",
    # a libc's word for EPERM from mmap
    "shared_memory": "ENOMEM", "stack_memory": "ENOMEM", "exec_memory": "ENOMEM",
    "exec_write_memory": "ENOMEM",
}
# The system call in which an attempt ends, as the audit log names it, where it is not the same
# word. None: one that the worker itself makes; the kernel refuses, and tells nobody.
CALL_OF = {
    "read_other_data": "open", "write_root": "open", "proc": "open", "sys": "open", "dev": "open",
    "mount_proc": "mount", "umount": "umount2", "remount": "mount", "kexec": "kexec_load",
    "settime": "clock_settime", "unshare_user": "unshare", "unshare_mount": "unshare",
    "setuid_root": "setuid", "ptrace_init": "ptrace", "vm_read": "process_vm_readv",
    "kill_others": "kill", "kill_all": "kill", "pidfd": "pidfd_open", "fork": "clone",
    "vfork_raw": "fork", "thread": "clone", "memfd": "memfd_create", "module_write": None,
    "module_grow": None, "module_map_write": "mmap", "module_unseal": None,
    "socket_inet": "socket", "socket_unix": "socket", "socket_raw": "socket",
    "socket_netlink": "socket", "connect": "socket", "bind_control": "bind",
    "handle": "open_by_handle_at", "io_uring": "io_uring_setup", "perf": "perf_event_open",
    "nice": "setpriority", "realtime": "sched_setscheduler", "raise_limit": "prlimit64",
    "keep_caps": "prctl", "new_privs": None, "shared_memory": "mmap", "stack_memory": "mmap",
    "raise_stack": "prlimit64", "exec_memory": "mmap", "exec_write_memory": "mmap",
    "exec_module": "mmap", "exec_code_writable": "mmap", "exec_code_shared": "mmap",
    "exec_protect": "mprotect", "exec_protect_key": "pkey_mprotect", "code_grow": None,
    "pipe_size": "fcntl", "lease": "fcntl", "outlive": "prctl", "socket_option": "setsockopt",
}
EMPTY_MODULE = b"\0asm\1\0\0\0"

_cases = []


def check(name, ok, why=""):
    _cases.append(bool(ok))
    print(f"{'ok' if ok else 'not ok'} {len(_cases)} - {name}", flush=True)
    if not ok and why != "":
        for line in str(why).splitlines()[:40]:
            print(f"#   {line}")


def done():
    print(f"1..{len(_cases)}")
    sys.exit(0 if all(_cases) else 1)


class Place:
    """A folder for one test: apps, data, audit log."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="vyoma-sandbox-")
        os.chmod(self.path, 0o755)
        self.apps = os.path.join(self.path, "apps")
        self.data = os.path.join(self.path, "data")
        self.audit = os.path.join(self.path, "audit.jsonl")
        os.mkdir(self.apps)

    def app(self, name, manifest="", module=EMPTY_MODULE, capabilities="stdio = true\n"):
        folder = os.path.join(self.apps, name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "vyoma.toml"), "w", encoding="utf-8") as f:
            f.write(f'[app]\nname = "{name}"\nversion = "1"\nwasm = "{name}.wasm"\n'
                    f'manifest_version = 1\n{manifest}\n[capabilities]\n{capabilities}')
        with open(os.path.join(folder, f"{name}.wasm"), "wb") as f:
            f.write(module)
        return folder

    def ship(self, name, source=None):
        """A copy of an app as it ships."""
        target = os.path.join(self.apps, name)
        shutil.copytree(os.path.join(APPS, source or name), target)
        return target

    def edit(self, name, old, new):
        path = os.path.join(self.apps, name, "vyoma.toml")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        assert old in text, (old, text)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new, 1))

    def boot(self, text):
        path = os.path.join(self.path, "boot.toml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def records(self):
        if not os.path.exists(self.audit):
            return []
        with open(self.audit, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def command(self, *options, prefix=()):
        return [*prefix, SUPERVISE, "--worker", WORKER, "--apps", self.apps, "--data", self.data,
                "--audit", self.audit, *options]

    def run(self, *options, timeout=60, prefix=(), stdin=subprocess.DEVNULL):
        r = subprocess.run(self.command(*options, prefix=prefix), stdin=stdin, timeout=timeout,
                           capture_output=True, check=False)
        return r.returncode, r.stdout.decode(errors="replace"), r.stderr.decode(errors="replace")

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)


def events(records, event, app=None):
    return [r for r in records if r.get("event") == event and (app is None or r.get("app") == app)]


def calls(records, app):
    """{system call: how often} of those that were refused, from the audit log."""
    told = {}
    for r in events(records, "cap_deny", app):
        if r["what"] == "system call":
            told[r["value"]] = told.get(r["value"], 0) + r["count"]
    return told


def check_calls(records, app, attempts):
    """Each of the attempts is in the audit log, all kinds by name, repeats at least by number."""
    told = calls(records, app)
    wanted = {}
    for name in attempts:
        call = CALL_OF.get(name, name)
        if call:
            wanted[call] = wanted.get(call, 0) + 1
    missing = set(wanted) - set(told)
    check("each attempt is in the audit log, by its call's name", not missing, (missing, told))
    others = sum(r["count"] for r in events(records, "cap_deny", app) if r["what"] == "(others)")
    check("and as often as it was made", sum(told.values()) + others >= sum(wanted.values()), (told, others))


def results(stdout):
    """{name: result} of the lines "name: result"."""
    return dict(line.split(": ", 1) for line in stdout.splitlines() if ": " in line)
