#!/bin/bash
# Builds what boots a second time, from a copy of the checkout in another folder, and
# compares the bytes. With --kernel the kernel as well, which takes minutes; as a test
# only programs, apps and initial file system.
# timeout 1200
set -euo pipefail
cd "$(dirname "$0")/../.."
top=$PWD
mkdir -p out/test-boot
scratch=$(mktemp -d "$top/out/test-boot/reproducible.XXXXXX")
copy=$scratch/another-folder
targets=(initramfs.cpio initramfs.cpio.xz)
[ "${1:-}" = --kernel ] && targets+=(bzImage vmlinux)

mkdir -p "$copy"
trap 'rm -rf "$scratch"' EXIT
# What is there now, committed or not: as the first build saw it.
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' f; do if [ -e "$f" ]; then printf '%s\0' "$f"; fi; done |
    tar --null -T - -cf - | tar -C "$copy" -xf -
# Another time and another user's habits must not show.
(cd "$copy" && find . -exec touch -d '2031-02-03 04:05:06' {} + &&
    umask 077 && TZ=Asia/Kolkata LC_ALL=C.UTF-8 \
    make --no-print-directory -j"$(nproc)" "${targets[@]/#/out/image/}") >"$copy.log" 2>&1 || {
    tail -n 20 "$copy.log"
    echo "not ok 1 - a copy of the checkout builds"
    echo "1..1"
    exit 1
}
number=0 failed=0
for f in "${targets[@]}"; do
    number=$((number + 1))
    if cmp "out/image/$f" "$copy/out/image/$f"; then
        echo "ok $number - $f has the same bytes when built elsewhere"
    else
        echo "not ok $number - $f has the same bytes when built elsewhere"
        failed=1
    fi
done
echo "1..$number"
exit $failed
