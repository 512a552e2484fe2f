#!/usr/bin/env python3
"""What it costs to start an app of 5 KB, processes and sandbox apart."""
import os

from load import OUT, median_ns


def main():
    small = f"{OUT}/small.wasm"
    print(f"An app of {os.path.getsize(small):,} bytes, wall time. Load it, create a store, link,")
    print("instantiate with a guarded memory, and destroy it all:")
    print(f"BENCH engine.start.5kb {median_ns('start', small, 500) / 1000:.1f} us")
    print("Of that, decoding, validating and translating:")
    print(f"BENCH engine.start.load-5kb {median_ns('load', small, 500) / 1000:.1f} us")


if __name__ == "__main__":
    main()
