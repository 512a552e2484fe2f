#!/bin/sh
# Both suites, sanitized, compiled in the smallest parts that there can be: a function each, in
# any order on three threads.
export EMBED_PARTS=1
n=0
for run in '2.0 check' '2.0 guard' '3.0 check' '3.0 guard'; do
    n=$((n + 1))
    if output=$(out/dbg/bin/spec --suite="${run% *}" --memory="${run#* }" --tier=baseline 2>&1); then
        echo "ok $n - $run"
    else
        printf '%s\n' "$output" | grep -v '^ok\| 0 failed' | sed 's/^/# /'
        echo "not ok $n - $run"
    fi
done
echo "1..$n"
