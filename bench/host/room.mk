BENCH_HOST := $(O)/bench/host

$(BENCH_HOST)/%.wasm: bench/host/%.c $(wildcard sdk/include/vyoma/*.h) sdk/app.flags
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' app '$<'
	@$(call app_build,-Werror $<,$@)

$(eval $(call program,rel,bench-host-bare,bench/host/bare.c,base))
$(eval $(call benchmark,host,bench/host/host.py,$(addprefix $(O)/rel/bin/,bench-host-bare \
    sandbox-supervise vyoma-run) $(addprefix $(BENCH_HOST)/,starter.wasm up.wasm idle.wasm \
    stream.wasm) $(APPS)))
