#!/bin/sh
# The 2.0 suite on the portable dispatcher by switch, built by gcc.
exec out/switch/bin/spec --suite=2.0 --memory=check
