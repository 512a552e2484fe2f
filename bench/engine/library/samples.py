#!/usr/bin/env python3
"""Prints bzip2's own samples, FOLDER/sample1.ref and so on, as a C header."""
import sys

LEVELS = [1, 2, 3]  # of sample1, sample2, sample3 in the library's own tests


def main():
    folder, largest = sys.argv[1], 0
    print("struct bytes {\n    const unsigned char *at;\n    unsigned len;\n};")
    print("struct sample {\n    struct bytes plain, packed;\n    int level;\n};")
    for level in LEVELS:
        for kind in ("ref", "bz2"):
            with open(f"{folder}/sample{level}.{kind}", "rb") as f:
                content = f.read()
            largest = max(largest, len(content))
            print(f"static const unsigned char {kind}{level}[] = {{")
            for at in range(0, len(content), 32):
                print(",".join(map(str, content[at:at + 32])) + ",")
            print("};")
    print("static const struct sample samples[] = {")
    for level in LEVELS:
        print(f"    {{ {{ ref{level}, sizeof ref{level} }}, {{ bz2{level}, sizeof bz2{level} }}, "
              f"{level} }},")
    print(f"}};\nenum {{ SAMPLE_BYTES_MAX = {largest + 1024} }};")


if __name__ == "__main__":
    main()
