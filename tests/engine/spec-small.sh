#!/bin/sh
# The 2.0 suite on the engine that microcontrollers get; its SIMD scripts are refused by name.
exec out/small/bin/spec --suite=2.0 --memory=check
