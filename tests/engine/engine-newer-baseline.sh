#!/bin/sh
# The unit test of what is newer than 2.0, with compiled modules.
EMBED_TIER=baseline exec out/dbg/tests/unit/engine_newer
