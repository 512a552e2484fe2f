# A host for WASI in memory, for the unit test and the fuzzer.
$(eval $(call room,tests/wasi,tests/wasi/fake.c,wasi base))
$(foreach t,wasi wasi_files wasi_waiting,\
    $(eval $(call unit_test,unit/$(t),tests/unit/$(t).c,tests/wasi wasi base)))
$(eval $(call fuzz_target,wasi_calls,tests/fuzz/wasi_calls.c,tests/wasi wasi base))
$(eval $(call unit_test,unit/wasi_paths,tests/unit/wasi_paths.c,hosts/linux wasi base))
$(eval $(call unit_test,unit/wasi_ctl,tests/unit/wasi_ctl.c,hosts/linux wasi base))
$(eval $(call unit_test,unit/wasi_seccomp,tests/unit/wasi_seccomp.c,hosts/linux wasi base))
$(eval $(call unit_test,unit/wasi_seccomp_coarse,tests/unit/wasi_seccomp_coarse.c,hosts/linux wasi base))
$(eval $(call unit_test,unit/wasi_env,tests/unit/wasi_env.c,hosts/linux/worker engine base))
$(eval $(call program,rel,wasi-drive,tests/wasi/drive.c,hosts/linux wasi base))

# Real programs of the C library, on the worker as it ships.
wasi.programs := $(patsubst tests/wasi/programs/%.c,$(O)/tests/wasi/%.wasm, \
    $(wildcard tests/wasi/programs/*.c))
$(O)/tests/wasi/%.wasm: tests/wasi/programs/%.c tests/wasi/programs/check.h
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' wasm '$@'
	@clang --target=wasm32-wasi -O1 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-infinite-recursion \
	    -Wno-cast-function-type $< -o $@
$(O)/tests/wasi/run-worker:
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nexec tests/wasi/run %s %s %s\n' $(O)/rel/bin/wasi-drive $(O)/rel/bin/vyoma-run $(O)/tests/wasi >$@
	@chmod +x $@
$(eval $(call quick_test,wasi/worker,$(O)/tests/wasi/run-worker,$(O)/tests/wasi/run-worker \
    $(O)/rel/bin/wasi-drive $(O)/rel/bin/vyoma-run $(wasi.programs)))
$(eval $(call fuzz_target,wasi_paths,tests/fuzz/wasi_paths.c,hosts/linux wasi base))
