#!/bin/sh
# The 3.0 suite compiled by the baseline tier, sanitized build, memories: guard.
exec out/dbg/bin/spec --suite=3.0 --memory=guard --tier=baseline
