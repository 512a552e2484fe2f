#!/usr/bin/env python3
"""Writes an initial file system with COUNT apps idle-000, idle-001, ... of FOLDER/idle.wasm
beside the shell: bench/boot/idle.py OUT FOLDER COUNT"""
import os
import subprocess
import sys

MANIFEST = """[app]
name = "{0}"
version = "0.1.0"
wasm = "{0}.wasm"
manifest_version = 1
[capabilities]
stdio = true
"""


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def main():
    out, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    boot = '[system]\nfocus = "shell"\n[[app]]\nname = "shell"\n'
    items = ["init=out/image/root/vyoma-init", "bin/vyoma-run=out/image/root/vyoma-run",
             "proc/", "sys/", "data/", "share/", "run/"]
    items += [f"apps/shell/{f}=out/apps/shell/{f}" for f in ("vyoma.toml", "shell.wasm")]
    for i in range(count):
        name = f"idle-{i:03}"
        manifest = write(os.path.join(folder, name + ".toml"), MANIFEST.format(name))
        items += [f"apps/{name}/vyoma.toml={manifest}",
                  f"apps/{name}/{name}.wasm={folder}/idle.wasm"]
        boot += f'[[app]]\nname = "{name}"\n'
    items.append("boot.toml=" + write(os.path.join(folder, "boot.toml"), boot))
    subprocess.run(["image/initramfs.py", out, *items], check=True)


if __name__ == "__main__":
    main()
