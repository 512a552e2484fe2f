# The specification's test suite. SPEC_TESTS=FOLDER names another copy than
# ../shared/wasm-spec.
SPEC_SRC := $(patsubst %,tests/spec/%.c,main suite spectest value script)
SPEC_RUNS := 2.0-guard 2.0-check 2.0-guard-sanitized 2.0-check-sanitized 2.0-switch 2.0-simd-refused
SPEC_PROGRAMS := $(patsubst %,$(O)/%/bin/spec,rel dbg switch)

$(foreach v,rel dbg,$(eval $(call program,$(v),spec,$(SPEC_SRC),tests/embed engine base,-Itests/spec)))

# The interpreter's other two ways from one operation to the next, built by gcc, which cannot
# build the one that ships. Variants of the engine alone.
define spec_dispatch
$(1).CC := musl-gcc
$(1).CFLAGS := $(rel.CFLAGS:-O2=-O1)
$(call room_variant,$(1),engine,$(engine.sources) engine/interp/dispatch_$(1).c,base,-Iengine)
$(O)/$(1)/bin/spec: $(SPEC_SRC:%=$(O)/rel/%.o) $(O)/$(1)/libengine.a \
    $(O)/rel/libtests-embed.a $(O)/rel/libbase.a
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' ld '$$@'
	@$(rel.CC) $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group \
	    $(rel.LDFLAGS) -o $$@

endef
$(foreach d,switch,$(eval $(call spec_dispatch,$(d))))
$(foreach t,$(SPEC_RUNS),$(eval $(call script_test,spec/$t,tests/spec/$t.sh,$(SPEC_PROGRAMS))))

.PHONY: spec
spec: $(SPEC_PROGRAMS) ## run the specification's test suite, with every assertion that fails
	@tests/spec/all.sh $(SPEC_RUNS:%=tests/spec/%.sh)
