ifneq ($(wildcard engine/room.mk),)
$(eval $(call fuzz_target,engine_load,tests/fuzz/engine_load.c,tests/embed engine base))
$(eval $(call fuzz_target,engine_run,tests/fuzz/engine_run.c,tests/embed engine base))
endif
