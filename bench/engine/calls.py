#!/usr/bin/env python3
"""What a call over the border between guest and host costs, either way."""
from common import OUT, medians, tiers


def main():
    print("A call with one i32 that gives one back, wall time: ten a turn of a loop in the guest")
    print("to a function of the host, and eng_call() in a loop of the host.")
    for tier in tiers():
        values = medians(tier, "calls", f"{OUT}/modules/hostcalls.wasm", 2000000)
        for name, value in zip(("to_host", "to_guest"), values):
            print(f"BENCH engine.{tier}.call.{name} {value:.1f} ns")


if __name__ == "__main__":
    main()
