# The specification's test suite. SPEC_TESTS=FOLDER names another copy than
# ../shared/wasm-spec.
SPEC_SRC := $(patsubst %,tests/spec/%.c,main suite spectest value script)
SPEC_RUNS := $(foreach s,2.0 3.0 2.0-baseline 3.0-baseline,$s-guard $s-check $s-guard-sanitized \
                   $s-check-sanitized) 2.0-baseline-guard-least 2.0-baseline-check-least
SPEC_PROGRAMS := $(patsubst %,$(O)/%/bin/spec,rel dbg)

$(foreach v,rel dbg,$(eval $(call program,$(v),spec,$(SPEC_SRC),tests/embed engine base,-Itests/spec)))
$(foreach t,$(SPEC_RUNS),$(eval $(call script_test,spec/$t,tests/spec/$t.sh,$(SPEC_PROGRAMS))))

# Those of the fallback dispatchers are tests of tests/engine.
.PHONY: spec spec-all
spec: setup ## run the specification's test suite, every build of the engine
	@$(MAKE) --no-print-directory -j$$(nproc) spec-all
spec-all: $(SPEC_PROGRAMS) $(engine.fallbacks:%=$(O)/dbg/bin/spec-%) $(O)/nosimd/bin/spec $(O)/small/bin/spec
	@tests/spec/all.sh $(SPEC_RUNS:%=tests/spec/%.sh) $(wildcard tests/engine/spec-*.sh)
