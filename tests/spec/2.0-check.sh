#!/bin/sh
# The 2.0 suite on the release build, every access checked explicitly.
exec out/rel/bin/spec --suite=2.0 --memory=check
