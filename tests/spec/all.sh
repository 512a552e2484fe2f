#!/bin/bash
# Every run of the specification suite with all its output; the totals come last.
set -uo pipefail
status=0
totals=()
for run in "$@"; do
    echo "== $(basename "$run" .sh)"
    output=$("$run" 2>&1) || status=1
    printf '%s\n' "$output"
    totals+=("$(printf '%-29s' "$(basename "$run" .sh)")$(grep '^# total' <<<"$output" ||
        grep -m1 '^not ok' <<<"$output" || echo 'died')")
done
echo "== totals"
printf '%s\n' "${totals[@]}"
printf '%s\n' "${totals[@]}" | awk '
    match($0, /[0-9]+ assertions passed, [0-9]+ failed, [0-9]+ skipped/) {
        split(substr($0, RSTART, RLENGTH), n, " ")
        passed += n[1]; failed += n[4]; skipped += n[6]; runs++
    }
    END { printf "total: %d assertions passed, %d failed, %d skipped in %d runs\n", passed, failed,
          skipped, runs }'
exit $status
