#!/usr/bin/env -S python3 -B
"""From starting QEMU to a usable system, in emulation (TCG) with one processor.

In each round every subject boots once, in turn, so that a busy machine hurts all alike;
figures are medians. BENCH_ROUNDS sets the rounds (7).

  bare    the same kernel and devices with a first process that prints one line
  prompt  the image as `make run` boots it, to the shell's prompt
  packed  the same from bzImage and the xz-packed initial file system
  apps    200 more apps in 512 MB, to the line that each of them prints
"""
import os
import statistics
import sys

sys.path.insert(0, "tests/boot")
import machine  # noqa: E402

APPS = 200
BARE = dict(initramfs="out/image/bare.cpio")
PACKED = dict(kernel="out/image/bzImage", initramfs="out/image/initramfs.cpio.xz")
PROMPT = "vyoma> "


def boot_ms(awaited, **options):
    """Milliseconds until the console shows awaited."""
    with machine.Machine(disk=True, **options) as m:
        m.wait_for(awaited)
        return m.elapsed_ms()


def boot_apps(count, **options):
    """(milliseconds until the prompt and count apps' lines were there, KB that QEMU has)"""
    with machine.Machine(disk=True, memory_mb=512, **options) as m:
        for _ in range(count):
            m.wait_for(r"\[idle-\d+\] up", regex=True)
        if not count:
            m.wait_for(PROMPT)
        took = m.elapsed_ms()
        m.settle(0.5)
        return took, m.memory_kb()


def main():
    rounds = int(os.environ.get("BENCH_ROUNDS", 7))
    times = {name: [] for name in ("bare", "prompt", "packed")}
    for _ in range(rounds):
        times["bare"].append(boot_ms("bare init is up", **BARE))
        times["prompt"].append(boot_ms(PROMPT))
        times["packed"].append(boot_ms(PROMPT, **PACKED))
    few, many = [], []
    for _ in range(max(1, rounds // 3)):
        few.append(boot_apps(0))
        many.append(boot_apps(APPS, initramfs="out/image/idle.cpio"))
    median = {name: statistics.median(values) for name, values in times.items()}
    start = statistics.median(t for t, _ in many) - statistics.median(t for t, _ in few)
    memory = statistics.median(k for _, k in many) - statistics.median(k for _, k in few)

    print(__doc__.split("\n\n", 1)[1].rstrip())
    print(f"medians of {rounds} rounds: " +
          ", ".join(f"{name} {median[name]:.0f} ms" for name in median))
    print(f"BENCH boot.prompt {median['prompt']:.0f} ms")
    print(f"BENCH boot.prompt.ratio {median['prompt'] / median['bare']:.2f} x_bare_init")
    print(f"BENCH boot.packed {median['packed']:.0f} ms")
    print(f"BENCH peer.boot.bare_init {median['bare']:.0f} ms")
    print(f"{APPS} idle apps: time and QEMU's memory beyond a boot without them")
    print(f"BENCH boot.apps{APPS}.start {start:.0f} ms")
    print(f"BENCH boot.apps{APPS}.memory {memory / APPS:.0f} KB_per_app")


if __name__ == "__main__":
    main()
