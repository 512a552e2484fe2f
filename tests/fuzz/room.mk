$(eval $(call fuzz_target,engine_load,tests/fuzz/engine_load.c,tests/embed engine base))
$(eval $(call fuzz_target,engine_run,tests/fuzz/engine_run.c,tests/embed engine base))
SEED_MODULES := $(patsubst bench/engine/programs/%.c,$(O)/bench/engine/%.wasm,\
                  $(wildcard bench/engine/programs/*.c))
$(foreach v,rel dbg,$(eval $(call program,$(v),differential,tests/fuzz/differential/subject.c,tests/embed engine base)))
$(eval $(call fuzz_script,differential,tests/fuzz/differential/run,$(O)/rel/bin/differential \
    $(O)/dbg/bin/differential $(SEED_MODULES)))
