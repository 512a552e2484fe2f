#!/bin/sh
# The 2.0 suite with the interpreter that dispatches by goto.
exec out/dbg/bin/spec-goto --suite=2.0 --memory=check
