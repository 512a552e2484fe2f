#!/bin/sh
# The 2.0 suite compiled by the baseline tier, release build, memories: guard.
exec out/rel/bin/spec --suite=2.0 --memory=guard --tier=baseline
