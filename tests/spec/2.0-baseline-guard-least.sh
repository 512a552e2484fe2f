#!/bin/sh
# The 2.0 suite compiled for the oldest CPU that will do (no AVX, no BMI2), memories: guard.
EMBED_CPU_LEAST=1 exec out/rel/bin/spec --suite=2.0 --memory=guard --tier=baseline
