#!/usr/bin/env -S python3 -B
"""The kernel alone, with a first process that checks it (kernel_init.c) and prints TAP."""
# timeout 300
import os
import tempfile

import machine

with tempfile.TemporaryDirectory(dir=machine.scratch()) as share:
    with open(os.path.join(share, "greeting"), "w") as f:
        f.write("hello\n")
    with machine.Machine(initramfs="out/image/kernel-test.cpio", disk=True, share=share,
                         gpu=True) as m:
        status = m.wait_off()
        print(machine.plain(m.transcript), end="", flush=True)
raise SystemExit(status)
