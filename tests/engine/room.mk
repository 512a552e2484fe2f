$(eval $(call unit_test,unit/engine,tests/unit/engine.c,tests/embed engine base))
$(eval $(call unit_test,unit/engine_newer,tests/unit/engine_newer.c,tests/embed engine base))
$(eval $(call unit_test,unit/engine_vectors,tests/unit/engine_vectors.c,tests/embed engine base))
$(eval $(call unit_test,unit/engine_tail,tests/unit/engine_tail.c,tests/embed engine base))
$(eval $(call unit_test,unit/engine_unwind,tests/unit/engine_unwind.c,tests/embed engine base))
$(eval $(call unit_test,unit/engine_branches,tests/unit/engine_branches.c,tests/embed engine base))
$(eval $(call unit_test,unit/engine_numbers,tests/unit/engine_numbers.c,tests/embed engine base))
$(eval $(call unit_test,unit/engine_stack,tests/unit/engine_stack.c,tests/embed engine base))
$(eval $(call unit_test,unit/engine_cost,tests/unit/engine_cost.c,tests/embed engine base))
$(eval $(call unit_test,unit/engine_links,tests/unit/engine_links.c,tests/embed engine base))
$(eval $(call unit_test,unit/engine_snapshot,tests/unit/engine_snapshot.c,tests/embed engine base))
$(eval $(call unit_test,unit/engine_lanes,tests/unit/engine_lanes.c,tests/embed engine base))
$(eval $(call unit_test,unit/engine_parts,tests/unit/engine_parts.c,tests/embed engine base))

# Again, in the compiled tier.
$(eval $(call quick_test,engine/engine-baseline,tests/engine/engine-baseline.sh,$(O)/dbg/tests/unit/engine))
$(eval $(call quick_test,engine/engine-snapshot-baseline,tests/engine/engine-snapshot-baseline.sh,\
    $(O)/dbg/tests/unit/engine_snapshot))
$(eval $(call quick_test,engine/engine-lanes-baseline,tests/engine/engine-lanes-baseline.sh,\
    $(O)/dbg/tests/unit/engine_lanes))
$(eval $(call quick_test,engine/engine-tail-baseline,tests/engine/engine-tail-baseline.sh,\
    $(O)/dbg/tests/unit/engine_tail))
$(eval $(call quick_test,engine/engine-newer-baseline,tests/engine/engine-newer-baseline.sh,\
    $(O)/dbg/tests/unit/engine_newer))
$(eval $(call quick_test,engine/engine-branches-baseline,tests/engine/engine-branches-baseline.sh,\
    $(O)/dbg/tests/unit/engine_branches))
$(eval $(call quick_test,engine/engine-numbers-baseline,tests/engine/engine-numbers-baseline.sh,\
    $(O)/dbg/tests/unit/engine_numbers))

# The same unit test, sanitized but for the interpreter, and the specification's suite
# with each of the other ways to dispatch: their object comes before the library, so the
# library's is not taken.
define dispatch_tests
$(O)/dbg/tests/unit/engine-$(1): $(O)/dbg/tests/unit/engine.c.o $(O)/engine/dispatch_$(1).o \
    $(O)/dbg/libtests-embed.a $(O)/dbg/libengine.a $(O)/dbg/libbase.a
	@printf '  %-4s %s\n' ld '$$@'
	@$(dbg.CC) $(dbg.CFLAGS) $$^ $(dbg.LDFLAGS) -o $$@
$(O)/dbg/bin/spec-$(1): $(SPEC_SRC:%=$(O)/dbg/%.o) $(O)/engine/dispatch_$(1).o \
    $(O)/dbg/libtests-embed.a $(O)/dbg/libengine.a $(O)/dbg/libbase.a
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' ld '$$@'
	@$(dbg.CC) $(dbg.CFLAGS) $$^ $(dbg.LDFLAGS) -o $$@
$(call script_test,unit/engine-$(1),$(O)/dbg/tests/unit/engine-$(1),$(O)/dbg/tests/unit/engine-$(1))
$(call script_test,engine/spec-$(1)-guard,tests/engine/spec-$(1)-guard.sh,$(O)/dbg/bin/spec-$(1))
$(call script_test,engine/spec-$(1)-check,tests/engine/spec-$(1)-check.sh,$(O)/dbg/bin/spec-$(1))

endef
SPEC_SRC := $(patsubst %,tests/spec/%.c,main suite spectest value script)
$(foreach d,$(engine.fallbacks),$(eval $(call dispatch_tests,$d)))

# Engines with less in them: without SIMD, whose instructions are refused by name; and as
# microcontrollers get it, with a quarter of the operations besides. The same tests, everything
# compiled anew, sanitized. $(call less_engine,NAME,FLAGS,SOURCES OF THE ENGINE)
define less_engine
$(O)/$(1)/%.o: %
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' cc '$$< ($(1))'
	@$$(dbg.CC) $(STD) $(WARN) $$(dbg.CFLAGS) $(2) -fno-math-errno -Iengine -Iengine/include \
	    -Ibase/include -Itests -Itests/embed/include -Itests/spec -MMD -MP -c $$< -o $$@
$(1).engine := $(3:%=$(O)/$(1)/%.o)
$(1).libs := $(O)/dbg/libtests-embed.a $(O)/dbg/libbase.a
-include $$($(1).engine:.o=.d) $(SPEC_SRC:%=$(O)/$(1)/%.d) $(O)/$(1)/tests/unit/engine.c.d
$(O)/$(1)/bin/spec: $(SPEC_SRC:%=$(O)/$(1)/%.o) $$($(1).engine) $$($(1).libs)
$(O)/$(1)/bin/unit: $(O)/$(1)/tests/unit/engine.c.o $$($(1).engine) $$($(1).libs)
$(O)/$(1)/bin/spec $(O)/$(1)/bin/unit:
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' ld '$$@'
	@$$(dbg.CC) $$(dbg.CFLAGS) $$^ $$(dbg.LDFLAGS) -o $$@
$(call script_test,unit/engine-$(1),$(O)/$(1)/bin/unit,$(O)/$(1)/bin/unit)
$(call script_test,engine/spec-$(1),tests/engine/spec-$(1).sh,$(O)/$(1)/bin/spec)

endef
$(eval $(call less_engine,nosimd,-DENG_SIMD=0,$(engine.sources) engine/runtime/native_none.c $(engine.dispatch)))
$(eval $(call less_engine,small,-DENG_SIMD=0 -DENG_SMALL=1,$(engine.small)))

# Compiling in parts on several threads, in any order: what tests it and the suites, in parts of 64
# bytes, under ThreadSanitizer, with everything compiled for that.
ifneq ($(filter x86_64,$(shell uname -m)),)
TSAN := $(O)/tsan
$(TSAN)/%.o: %
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' cc '$< (tsan)'
	@clang $(STD) $(WARN) -O1 -g -fsanitize=thread -fno-math-errno -Iengine -Iengine/include \
	    -Ibase/include -Itests -Itests/embed/include -Itests/spec -MMD -MP -c $< -o $@
TSAN_ENGINE := $(patsubst %,$(TSAN)/%.o,$(engine.sources) $(engine.native) engine/interp/dispatch_switch.c \
    $(wildcard tests/embed/*.c base/*.c))
-include $(TSAN_ENGINE:.o=.d) $(SPEC_SRC:%=$(TSAN)/%.d) $(TSAN)/tests/unit/engine_parts.c.d
$(TSAN)/bin/spec: $(SPEC_SRC:%=$(TSAN)/%.o) $(TSAN_ENGINE)
$(TSAN)/bin/parts: $(TSAN)/tests/unit/engine_parts.c.o $(TSAN_ENGINE)
$(TSAN)/bin/spec $(TSAN)/bin/parts:
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' ld '$@'
	@clang -fsanitize=thread $^ -o $@
$(eval $(call script_test,engine/parts-threads,tests/engine/parts-threads.sh,$(TSAN)/bin/spec $(TSAN)/bin/parts))
endif
$(eval $(call script_test,engine/parts-spec,tests/engine/parts-spec.sh,$(O)/dbg/bin/spec))

# The compiler's encoder against the assembler.
ifneq ($(filter x86_64,$(shell uname -m)),)
$(eval $(call program,dbg,encoder,tests/engine/encoder.c,engine base,-Iengine))
$(eval $(call quick_test,engine/encoder,tests/engine/encoder.py,$(O)/dbg/bin/encoder))
endif
