# The first eight are those of the geometric mean.
BENCH_EIGHT := coremark sha256 nbody fannkuch mandel sorthash calls regex
BENCH_SIMD := simdmem simdcpu
BENCH_ALL := $(BENCH_EIGHT) $(BENCH_SIMD) bzip2
BENCH_ENGINE := $(O)/bench/engine
BENCH_CFLAGS := -std=c11 -O2 -Wall -Wextra -Werror -fno-math-errno -ffp-contract=off
BENCH_WASM := clang --target=wasm32-wasi $(BENCH_CFLAGS)
BENCH_NEEDS_ALL := bench/engine/programs/program.h bench/engine/room.mk
WASI_LIBC := /usr/lib/wasm32-wasi/libc.a

# --- programs, each in two sizes: NAME, and small/NAME for engines that take long ----------

# $(call bench_size,FOLDER,FLAGS)
define bench_size
$(BENCH_EIGHT:%=$(1)/%.wasm): $(1)/%.wasm: bench/engine/programs/%.c $(BENCH_NEEDS_ALL)
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' wasm '$$@'
	@$(BENCH_WASM) $(2) -s $$< -o $$@
$(BENCH_EIGHT:%=$(1)/%): $(1)/%: bench/engine/programs/%.c $(BENCH_NEEDS_ALL)
	@mkdir -p $$(@D)
	@clang $(BENCH_CFLAGS) $(2) $$< -o $$@

# Linked in a step of its own: clang's driver would hand the result to a wasm-opt that it
# does not tell about SIMD.
$(BENCH_SIMD:%=$(1)/%.wasm): $(1)/%.wasm: bench/engine/programs/%.c $(BENCH_NEEDS_ALL)
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' wasm '$$@'
	@$(BENCH_WASM) -msimd128 $(2) -c $$< -o $$@.o
	@clang --target=wasm32-wasi -s $$@.o -o $$@
$(BENCH_SIMD:%=$(1)/%): $(1)/%: bench/engine/programs/%.c $(BENCH_NEEDS_ALL)
	@mkdir -p $$(@D)
	@clang $(BENCH_CFLAGS) $(BENCH_SIMD_NATIVE) $(2) $$< -o $$@

# Without its source there is no such program, which the run says.
$(1)/bzip2.wasm $(1)/bzip2: bench/engine/library/bzip2.c $(BENCH_ENGINE)/bzip2_samples.h $(BENCH_NEEDS_ALL)
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' cc '$$@'
	@[ ! -e $(BZIP2) ] || { $$(if $$(filter %.wasm,$$@),$(BENCH_WASM),clang $(BENCH_CFLAGS)) \
	    $(2) $(BZIP2_CFLAGS) -c $$< -o $$@.o && \
	    $$(if $$(filter %.wasm,$$@),$(BENCH_WASM) -s,clang $(BENCH_CFLAGS)) \
	    -w $(BZIP2_CFLAGS) $$@.o $(BZIP2_PARTS:%=$(BZIP2)/%.c) -o $$@; }

endef

# Vectors of 16 bytes with the instructions that WebAssembly's were modelled on.
BENCH_SIMD_NATIVE := $(if $(filter x86_64,$(shell uname -m)),-msse4.1)

# bzip2's library and samples, from Debian's source package.
BZIP2 := $(O)/cache/source/bzip2
BZIP2_PARTS := blocksort huffman crctable randtable compress decompress bzlib
BZIP2_CFLAGS := -DBZ_NO_STDIO -Ibench/engine/programs -I$(BENCH_ENGINE) -isystem $(BZIP2)
$(BENCH_ENGINE)/bzip2_samples.h: bench/engine/library/samples.py scripts/debian-source
	@mkdir -p $(@D)
	@! scripts/debian-source bzip2 $(BZIP2) || bench/engine/library/samples.py $(BZIP2) >$@

$(eval $(call bench_size,$(BENCH_ENGINE)))
$(eval $(call bench_size,$(BENCH_ENGINE)/small,-DDIVISOR=4))

# --- the same modules through wabt's wasm2c and gcc -----------------------------------------

# Those that wasm2c cannot translate do not come to be, which the run says.
WASM2C_RUNTIME := /usr/share/wabt/wasm2c
$(BENCH_ALL:%=$(BENCH_ENGINE)/%.wasm2c): %.wasm2c: %.wasm bench/engine/wasm2c.c
	@printf '  %-4s %s\n' w2c '$@'
	@! ([ -e $< ] && wasm2c -n bench $< -o $@.c; exit $$?) 2>$@.err || \
	    gcc -O2 -w -I$(WASM2C_RUNTIME) -I$(@D) -DMODULE_H='"$(@F).h"' bench/engine/wasm2c.c \
	    $@.c $(WASM2C_RUNTIME)/wasm-rt-impl.c -lm -o $@

# --- modules for what the engine's own work costs -------------------------------------------

# The programs as parts of larger modules, where each cannot be main.
$(BENCH_ENGINE)/%.part.o: bench/engine/programs/%.c $(BENCH_NEEDS_ALL)
	@mkdir -p $(@D)
	@$(BENCH_WASM) -Dmain=main_$* -c $< -o $@

# An app of about 5 KB, and a library of half a megabyte.
$(BENCH_ENGINE)/small.wasm: bench/engine/programs/coremark.c bench/engine/modules/small.c $(BENCH_ENGINE)/sha256.part.o
	@$(BENCH_WASM) -s $^ -Wl,--export=main_sha256,--export=first -o $@
$(BENCH_ENGINE)/large.wasm: $(BENCH_EIGHT:%=$(BENCH_ENGINE)/%.part.o)
	@$(BENCH_WASM) -s -nostartfiles -Wl,--no-entry,--allow-undefined,--no-gc-sections,--export-all \
	    -Wl,--whole-archive $^ $(WASI_LIBC) -Wl,--no-whole-archive -o $@
$(BENCH_ENGINE)/larger.wasm: bench/engine/modules/times.py $(BENCH_ENGINE)/large.wasm
	@$< $(BENCH_ENGINE)/large.wasm 16 $@
$(BENCH_ENGINE)/modules/hostcalls.wasm: bench/engine/modules/hostcalls.c
	@mkdir -p $(@D)
	@$(BENCH_WASM) -s -nostdlib -Wl,--no-entry,--export=to_host,--export=same $< -o $@

# --- the runner, the benchmarks ----------------------------------------------------------------

BENCH_TIERS := $(if $(shell grep -s ENG_TIER_BASELINE engine/include/engine/engine.h),-DBENCH_TIERS)
$(eval $(call program,rel,bench-engine,$(addprefix bench/engine/,runner.c costs.c guest.c), \
    tests/embed engine base,$(BENCH_TIERS)))

BENCH_RUNNER := $(O)/rel/bin/bench-engine
$(eval $(call benchmark,engine.interp+engine.baseline,bench/engine/speed.py,$(BENCH_RUNNER) \
    $(foreach p,$(BENCH_ALL),\
    $(addprefix $(BENCH_ENGINE)/,$(p) $(p).wasm $(p).wasm2c small/$(p) small/$(p).wasm))))
$(eval $(call benchmark,engine.interp.call+engine.baseline.call,bench/engine/calls.py, \
    $(BENCH_RUNNER) $(BENCH_ENGINE)/modules/hostcalls.wasm))
$(eval $(call benchmark,engine.load+engine.baseline.load,bench/engine/load.py,$(BENCH_RUNNER) \
    $(BENCH_ENGINE)/large.wasm $(BENCH_ENGINE)/larger.wasm))
$(eval $(call benchmark,engine.start+engine.baseline.start,bench/engine/start.py,$(BENCH_RUNNER) \
    $(BENCH_ENGINE)/small.wasm))
$(eval $(call benchmark,engine.baseline.lazy,bench/engine/lazy.py,$(BENCH_RUNNER) \
    $(foreach a,hello clock shell http-server,$(O)/apps/$(a)/$(a).wasm) $(BENCH_ENGINE)/large.wasm))
$(eval $(call benchmark,engine.instance+engine.baseline.instance,bench/engine/instance.py,$(BENCH_RUNNER) \
    $(BENCH_ENGINE)/small.wasm))
$(eval $(call benchmark,engine.size,bench/engine/size.py,$(MCU)/hello.elf \
    $(O)/rel/libengine.a $(MCU_ENGINE) $(MINIMAL_ENGINE)))
