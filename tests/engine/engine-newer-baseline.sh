#!/bin/sh
# What came after 2.0, and vectors between functions and the host, in the compiled tier where it can.
EMBED_TIER=baseline exec out/dbg/tests/unit/engine_newer
