#!/bin/sh
# The 3.0 suite on the release build; what is not supported is refused by name.
exec out/rel/bin/spec --suite=3.0 --memory=check
