# The specification's test suite. SPEC_TESTS=FOLDER names another copy than
# ../shared/wasm-spec.
SPEC_SRC := $(patsubst %,tests/spec/%.c,main suite spectest value script)
SPEC_RUNS := 2.0-guard 2.0-check 2.0-guard-sanitized 2.0-check-sanitized 2.0-simd-refused

$(foreach v,rel dbg,$(eval $(call program,$(v),spec,$(SPEC_SRC),tests/embed engine base,-Itests/spec)))
$(foreach t,$(SPEC_RUNS),$(eval $(call script_test,spec/$t,tests/spec/$t.sh,$(O)/rel/bin/spec $(O)/dbg/bin/spec)))

.PHONY: spec
spec: $(O)/rel/bin/spec $(O)/dbg/bin/spec ## run the specification's test suite, with every assertion that fails
	@tests/spec/all.sh $(SPEC_RUNS:%=tests/spec/%.sh)
