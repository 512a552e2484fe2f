#!/bin/sh
# The 2.0 suite on an engine without SIMD; modules of its SIMD scripts are refused by name.
exec out/nosimd/bin/spec --suite=2.0 --memory=check
