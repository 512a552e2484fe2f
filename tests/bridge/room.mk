$(eval $(call script_test,bridge/relay,tests/bridge/relay,$(O)/bin/vyoma))
$(eval $(call fuzz_target,bridge_handshake,tests/fuzz/bridge_handshake.c,formats wasi base,-lmd))
