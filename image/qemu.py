"""The virtual machine that Vyoma boots in: one place that knows QEMU's arguments.

Used by image/run (a person at the console) and tests/boot/machine.py (tests and
benchmarks), so that what is tested is what is run.
"""
import os
import shutil
import socket
import subprocess

PROGRAM = "qemu-system-x86_64"
IMAGE = "out/image"
# Console on the first serial port; any panic ends the machine at once, as there is
# nobody inside to look at it. The address is that of QEMU's user network.
COMMAND_LINE = "console=ttyS0 quiet panic=-1"
ADDRESS = "ip=10.0.2.15::10.0.2.2:255.255.255.0:vyoma:eth0:off"
# Emulated time is slow to measure and need not be: 0.1 s for the local timer, of which
# there is a better one (HPET), and 0.04 s to see whether interrupts arrive.
EMULATED = "nolapic_timer no_timer_check"


def installed():
    return shutil.which(PROGRAM) is not None


def uses_kvm():
    """Emulation everywhere, so that a figure or a fault is the same on every machine;
    VYOMA_ACCEL=kvm asks for hardware virtualisation."""
    return os.environ.get("VYOMA_ACCEL") == "kvm"


def accelerator():
    if uses_kvm():
        return ["-accel", "kvm", "-cpu", "host"]
    # TCG runs `rep movsb` byte by byte: the processor does not claim to be fast at it.
    return ["-accel", "tcg", "-cpu", "max,erms=off,fsrm=off"]


def arguments(memory_mb=256, kernel=IMAGE + "/vmlinux", initramfs=IMAGE + "/initramfs.cpio",
              disk=None, share=None, forward=(), append="", network=True, gpu=False):
    """The command that starts the machine, without console and monitor.

    disk: a raw image, /dev/vda inside; share: a folder, the 9p tag `share` inside;
    forward: (port on this machine's loopback, port inside) pairs; append: more words
    for the kernel's command line.

    A vmlinux is started through PVH, which saves the 0.6 s that unpacking a bzImage
    takes under TCG; an initramfs that is not packed saves more. qboot is a smaller
    firmware than SeaBIOS; both come with QEMU.
    """
    words = [COMMAND_LINE, ADDRESS if network else "", "vyoma.share" if share else "", append]
    if not uses_kvm():
        words.insert(1, EMULATED)
    command = [PROGRAM, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
               "-M", "q35,sata=off,smbus=off,vmport=off", "-bios", "qboot.rom",
               "-m", str(memory_mb), "-kernel", kernel, "-initrd", initramfs,
               "-append", " ".join(filter(None, words))]
    command += accelerator()
    command += ["-device", "virtio-rng-pci", "-device", "virtio-keyboard-pci"]
    if disk:
        command += ["-drive", f"if=none,id=data,format=raw,file={escape(disk)}",
                    "-device", "virtio-blk-pci,drive=data"]
    if network:
        rules = "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{inside}" for here, inside in forward)
        command += ["-netdev", "user,id=net" + rules,
                    "-device", "virtio-net-pci,netdev=net,romfile="]
    if share:
        command += ["-fsdev", f"local,id=share,security_model=none,path={escape(share)}",
                    "-device", "virtio-9p-pci,fsdev=share,mount_tag=share"]
    if gpu:
        command += ["-device", "virtio-gpu-pci"]
    return command


def escape(path):
    """QEMU separates options with commas; a doubled one is itself."""
    return path.replace(",", ",,")


def port_is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def free_port(wanted=0):
    """wanted if nobody has it, else the next free one of the 100 behind it, else any."""
    for port in range(wanted, min(wanted + 100, 65536)) if wanted else ():
        if port_is_free(port):
            return port
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def make_disk(path, megabytes=64, contents=None):
    """An ext4 file system in a sparse file, made without any privilege: empty, or with the files
    of the folder `contents`."""
    with open(path + ".new", "wb") as f:
        f.truncate(megabytes << 20)
    tools = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"  # not in a plain user's PATH
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", "vyoma-data", "-m", "0",
                    "-E", "root_owner=0:0", *(["-d", contents] if contents else []),
                    path + ".new"],
                   check=True, env={**os.environ, "PATH": tools})
    os.rename(path + ".new", path)
