# The specification's test suite. SPEC_TESTS=FOLDER names another copy than
# ../shared/wasm-spec.
SPEC_SRC := $(patsubst %,tests/spec/%.c,main suite spectest value script)
SPEC_RUNS := 2.0-guard 2.0-check 2.0-guard-sanitized 2.0-check-sanitized \
             2.0-baseline-guard 2.0-baseline-check 2.0-baseline-guard-sanitized \
             2.0-baseline-check-sanitized
SPEC_PROGRAMS := $(patsubst %,$(O)/%/bin/spec,rel dbg)

$(foreach v,rel dbg,$(eval $(call program,$(v),spec,$(SPEC_SRC),tests/embed engine base,-Itests/spec)))
$(foreach t,$(SPEC_RUNS),$(eval $(call script_test,spec/$t,tests/spec/$t.sh,$(SPEC_PROGRAMS))))

# Those of the fallback dispatchers are tests of tests/engine.
.PHONY: spec spec-all
spec: setup ## run the specification's test suite, every build of the engine
	@$(MAKE) --no-print-directory -j$$(nproc) spec-all
spec-all: $(SPEC_PROGRAMS) $(engine.fallbacks:%=$(O)/dbg/bin/spec-%) $(O)/nosimd/bin/spec
	@tests/spec/all.sh $(SPEC_RUNS:%=tests/spec/%.sh) $(wildcard tests/engine/spec-*.sh)
