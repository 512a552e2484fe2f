#!/bin/sh
# What is compiled in parts by three threads at once, under ThreadSanitizer: its own test, and both
# suites in parts of 64 bytes. A race ends the program. Memories are checking ones: the sanitizer
# does not let a handler of faults leave by a jump.
export TSAN_OPTIONS=halt_on_error=1
n=0
try() {
    n=$((n + 1))
    if output=$("$@" 2>&1); then
        echo "ok $n - $*"
    else
        printf '%s\n' "$output" | grep -v '^ok\| 0 failed' | sed 's/^/# /'
        echo "not ok $n - $*"
    fi
}
try out/tsan/bin/parts
export EMBED_PARTS=64
try out/tsan/bin/spec --suite=2.0 --memory=check --tier=baseline
try out/tsan/bin/spec --suite=3.0 --memory=check --tier=baseline
echo "1..$n"
