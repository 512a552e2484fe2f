#!/bin/sh
# The 3.0 suite compiled by the baseline tier, release build, memories: guard.
exec out/rel/bin/spec --suite=3.0 --memory=guard --tier=baseline
