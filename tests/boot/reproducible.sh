#!/bin/bash
# Builds what boots a second time, from a copy of the checkout in another folder, and
# compares the bytes. The kernel takes minutes, so these bytes of it are compared once: the
# result is kept beside them in the cache. --kernel: compare it again all the same.
# timeout 1800
set -euo pipefail
cd "$(dirname "$0")/../.."
top=$PWD
mkdir -p out/test-boot
scratch=$(mktemp -d "$top/out/test-boot/reproducible.XXXXXX")
copy=$scratch/another-folder
targets=(initramfs.cpio initramfs.cpio.xz)
kernel=(bzImage vmlinux)
sums() { (cd "$1" && sha256sum "${kernel[@]}"); }
# The cache's copy of the kernel that is there now.
for entry in out/cache/linux-*; do
    cmp -s "$entry/bzImage" out/image/bzImage && cached=$entry
done
compared=${cached:?no kernel in the cache is the one in out/image}/built-twice
if [ "${1:-}" != --kernel ] && [ "$(cat "$compared" 2>/dev/null)" = "$(sums out/image)" ]; then
    echo "# bzImage, vmlinux: compared before, see $compared; make reproducible does it again"
else
    targets+=("${kernel[@]}")
fi

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
if [ "${targets[-1]}" = vmlinux ] && [ "$(sums out/image)" = "$(sums "$copy/out/image")" ]; then
    sums out/image >"$compared"
fi
echo "1..$number"
exit $failed
