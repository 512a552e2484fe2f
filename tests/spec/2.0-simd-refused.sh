#!/bin/sh
# Modules of the 2.0 suite's SIMD scripts are refused by name, never misread.
exec out/dbg/bin/spec --suite=2.0 --simd=refused
