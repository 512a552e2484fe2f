#!/usr/bin/env -S python3 -B
"""A session at the console of a booted machine, typed by a script and shown as it goes.
`make run HEADLESS=1` runs it, with the machine that MEM, SHARE and so on ask for as JSON (the
arguments of qemu.arguments); as a test it also says so in TAP."""
# timeout 300
import json
import sys
import urllib.request

import machine

PROMPT = "vyoma> "
SAID = []  # (what, happened): the cases


def expect(what, happened):
    SAID.append((what, bool(happened)))
    return happened


def talk(m, port):
    m.wait_for(PROMPT)
    expect("boots to the shell's prompt", True)
    expect("help lists the shell's commands", "poweroff" in m.ask("help", PROMPT))
    apps = m.ask("ps", PROMPT)
    expect("ps shows the running apps", "shell" in apps and "http-server" in apps)
    m.ask("start factorial", PROMPT)
    m.send("factorial: 20\n")
    expect("an app computes", m.wait_for("2432902008176640000"))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=20) as page:
        expect("http-server shows the running apps", page.status == 200 and "shell" in page.read().decode())
    expect("the audit log shows the start of an app", "spawn" in m.ask("audit 20", PROMPT))
    m.send("poweroff\n")
    expect("poweroff ends the machine", m.wait_off() == 0)


def main():
    wanted = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    wanted.setdefault("forward", [(machine.qemu.free_port(), 8080)])
    port = wanted["forward"][0][0]
    fault = None
    with machine.Machine(disk=True, **wanted) as m:
        try:
            talk(m, port)
        except (machine.Timeout, machine.Died, OSError) as e:
            fault = e
        print(machine.plain(m.transcript))
    for number, (what, happened) in enumerate(SAID, 1):
        print(f"{'ok' if happened else 'not ok'} {number} - {what}")
    if fault:
        print(f"not ok {len(SAID) + 1} - the session goes on to its end\n    # {fault}")
    print(f"1..{len(SAID) + bool(fault)}")
    sys.exit(fault is not None or not all(happened for _, happened in SAID))


if __name__ == "__main__":
    main()
