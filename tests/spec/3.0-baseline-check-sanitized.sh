#!/bin/sh
# The 3.0 suite compiled by the baseline tier, sanitized build, memories: check.
exec out/dbg/bin/spec --suite=3.0 --memory=check --tier=baseline
