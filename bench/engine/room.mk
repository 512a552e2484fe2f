BENCH_PROGRAMS := coremark sha256 nbody fannkuch mandel sorthash calls regex
BENCH_ENGINE := $(O)/bench/engine
BENCH_CFLAGS := -std=c11 -O2 -Wall -Wextra -Werror -fno-math-errno -ffp-contract=off
BENCH_WASM := clang --target=wasm32-wasi $(BENCH_CFLAGS)
WASI_LIBC := /usr/lib/wasm32-wasi/libc.a

$(BENCH_ENGINE)/%.wasm: bench/engine/programs/%.c bench/engine/programs/program.h
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' wasm '$@'
	@$(BENCH_WASM) -s $< -o $@
$(BENCH_PROGRAMS:%=$(BENCH_ENGINE)/%): $(BENCH_ENGINE)/%: bench/engine/programs/%.c bench/engine/programs/program.h
	@mkdir -p $(@D)
	@clang $(BENCH_CFLAGS) $< -o $@
# As parts of larger modules, where each cannot be main.
$(BENCH_ENGINE)/%.part.o: bench/engine/programs/%.c bench/engine/programs/program.h
	@mkdir -p $(@D)
	@$(BENCH_WASM) -Dmain=main_$* -c $< -o $@

# An app of about 5 KB, and a library of half a megabyte.
$(BENCH_ENGINE)/small.wasm: bench/engine/programs/coremark.c $(BENCH_ENGINE)/sha256.part.o
	@$(BENCH_WASM) -s $^ -Wl,--export=main_sha256 -o $@
$(BENCH_ENGINE)/large.wasm: $(BENCH_PROGRAMS:%=$(BENCH_ENGINE)/%.part.o)
	@$(BENCH_WASM) -s -nostartfiles -Wl,--no-entry,--allow-undefined,--no-gc-sections,--export-all \
	    -Wl,--whole-archive $^ $(WASI_LIBC) -Wl,--no-whole-archive -o $@

$(eval $(call program,rel,bench-engine,bench/engine/runner.c,tests/embed engine base))
$(eval $(call benchmark,engine.interp,bench/engine/interp.py,$(O)/rel/bin/bench-engine \
    $(BENCH_PROGRAMS:%=$(BENCH_ENGINE)/%) $(BENCH_PROGRAMS:%=$(BENCH_ENGINE)/%.wasm)))
$(eval $(call benchmark,engine.load,bench/engine/load.py,$(O)/rel/bin/bench-engine \
    $(BENCH_ENGINE)/large.wasm))
$(eval $(call benchmark,engine.start,bench/engine/start.py,$(O)/rel/bin/bench-engine \
    $(BENCH_ENGINE)/small.wasm))
$(eval $(call benchmark,engine.size,bench/engine/size.py,$(O)/rel/libengine.a))
