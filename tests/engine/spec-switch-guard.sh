#!/bin/sh
# The 2.0 suite with the interpreter that dispatches by switch.
exec out/dbg/bin/spec-switch --suite=2.0 --memory=guard
