#!/bin/sh
# The unit test with compiled modules.
EMBED_TIER=baseline exec out/dbg/tests/unit/engine_numbers
