#!/bin/sh
# The 3.0 suite with ASan and UBSan, built by clang; what is not supported is refused by name.
exec out/dbg/bin/spec --suite=3.0 --memory=check
