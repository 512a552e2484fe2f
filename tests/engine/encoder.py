#!/usr/bin/env python3
"""The compiler's encoder against binutils: both disassemble to the same, instruction by
instruction. (Bytes may differ: the assembler has its own choice among equal encodings.)"""
import subprocess
import sys
import tempfile


def disassembly(path, *options):
    text = subprocess.run(["objdump", "-D", "-M", "intel", "--no-show-raw-insn", *options, path],
                          check=True, capture_output=True, text=True).stdout
    # Behind "#" is where an address relative to rip leads, which depends on the sizes before it.
    return [" ".join(line.split("\t")[1].split("#")[0].split()).removeprefix("rex ")
            for line in text.splitlines() if "\t" in line]


def main():
    with tempfile.TemporaryDirectory() as folder:
        code, source, made = (f"{folder}/{n}" for n in ("code", "source.s", "made.o"))
        subprocess.run(["out/dbg/bin/encoder", code, source], check=True)
        subprocess.run(["as", "--64", "-o", made, source], check=True)
        ours = disassembly(code, "-b", "binary", "-m", "i386:x86-64")
        theirs = disassembly(made, "-j", ".text")
    wrong = [(a, b) for a, b in zip(ours, theirs) if a != b]
    for mine, right in wrong[:20]:
        print(f"# encoded '{mine}', meant '{right}'")
    same = not wrong and len(ours) == len(theirs) > 10000
    print(("ok" if same else "not ok") + f" 1 - {len(ours)} instructions as the assembler has them")
    print("1..1")
    return not same


if __name__ == "__main__":
    sys.exit(main())
