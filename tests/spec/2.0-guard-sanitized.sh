#!/bin/sh
# The 2.0 suite with ASan and UBSan, built by clang, memories guarded.
exec out/dbg/bin/spec --suite=2.0 --memory=guard
