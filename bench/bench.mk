# Benchmarks: programs or scripts that print one line a figure, `BENCH name value unit`,
# and above it what they measured and against what.

BENCHES :=      # every benchmark: name=command

# $(call benchmark,NAME,COMMAND,NEEDS): NAME is the beginning of its figures' names
# (engine.interp for engine.interp.geomean), COMMAND takes no arguments.
define benchmark
BENCHES += $(1)=$(2)
BENCH_NEEDS_$(1) := $(3)

endef

# bench/run decides what a pattern means, for the building as for the running.
BENCH_CHOSEN = $(shell bench/run --only '$(ONLY)' --names $(BENCHES) 2>/dev/null)

.PHONY: bench-all bench-needs
bench-all:
	@$(MAKE) --no-print-directory -s -j$$(nproc) bench-needs ONLY='$(ONLY)'
	@bench/run --only '$(ONLY)' $(BENCHES)
bench-needs: $$(foreach b,$$(BENCH_CHOSEN),$$(BENCH_NEEDS_$$b))
