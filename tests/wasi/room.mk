# A host for WASI in memory, for the unit test and the fuzzer.
$(eval $(call room,tests/wasi,tests/wasi/fake.c,wasi base))
$(eval $(call unit_test,unit/wasi,tests/unit/wasi.c,tests/wasi wasi base))
$(eval $(call fuzz_target,wasi_calls,tests/fuzz/wasi_calls.c,tests/wasi wasi base))
$(eval $(call unit_test,unit/wasi_paths,tests/unit/wasi_paths.c,hosts/linux wasi base))
