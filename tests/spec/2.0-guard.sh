#!/bin/sh
# The 2.0 suite on the release build, memories guarded by the address space.
exec out/rel/bin/spec --suite=2.0 --memory=guard
