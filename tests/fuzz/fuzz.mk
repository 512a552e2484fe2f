# Fuzzers: libFuzzer targets and scripts that take the same arguments.

FUZZERS :=      # every fuzzer: name=command
FUZZ_DEPS :=

# $(call fuzz_target,NAME,SOURCE,ROOMS[,LDLIBS]): SOURCE has LLVMFuzzerTestOneInput, ROOMS are
# those whose headers and libraries it needs. Becomes out/fuzz/NAME, a part of `make fuzz`,
# and the test fuzz/NAME: the committed inputs in tests/fuzz/corpus/NAME, then 10 s of new ones.
define fuzz_target
$(call compile,fuzz,$(2),tests,$(3),-Itests)
$(O)/fuzz/$(1): $(O)/fuzz/$(2).o $(patsubst %,$(O)/fuzz/lib%.a,$(subst /,-,$(3)))
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' ld '$$@'
	@$(fuzz.CC) $(fuzz.CFLAGS) $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) \
	    -Wl,--end-group $(4) $(fuzz.LDFLAGS) -o $$@
$(call fuzz_script,$(1),tests/fuzz/one,$(O)/fuzz/$(1))

endef

# $(call fuzz_script,NAME,COMMAND,NEEDS): COMMAND NAME SECONDS fuzzes, COMMAND NAME test is the
# short run that prints TAP.
define fuzz_script
$(O)/fuzz/tests/$(1):
	@mkdir -p $$(@D)
	@printf '#!/bin/sh\nexec %s %s test\n' '$(2)' '$(1)' >$$@ && chmod +x $$@
FUZZERS += $(1)=$(2)
FUZZ_NEEDS_$(1) := $(3)
$(call script_test,fuzz/$(1),$(O)/fuzz/tests/$(1),$(O)/fuzz/tests/$(1) $(3))

endef

TIME ?= 60
fuzz_name = $(firstword $(subst =, ,$(1)))
FUZZ_CHOSEN = $(foreach f,$(FUZZERS),$(if $(or $(if $(ONLY),,all),$(findstring $(ONLY),$(call fuzz_name,$f))),$f))

.PHONY: fuzz fuzz-needs
fuzz: setup ## run the fuzzers (TIME=seconds each, ONLY=part of a name)
	@$(MAKE) --no-print-directory -s -j$$(nproc) fuzz-needs ONLY='$(ONLY)'
	@tests/fuzz/all '$(TIME)' $(FUZZ_CHOSEN)
fuzz-needs: $$(foreach f,$$(FUZZ_CHOSEN),$$(FUZZ_NEEDS_$$(call fuzz_name,$$f)))

.PHONY: coverage
coverage: setup ## how much of the compiler the differential fuzzer reaches (TIME=seconds)
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(FUZZ_NEEDS_differential)
	@tests/fuzz/differential/coverage '$(TIME)'
