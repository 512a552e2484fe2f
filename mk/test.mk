# Tests are programs or scripts that print TAP (https://testanything.org). Their
# names are group/name; the file tests/group/name.* is the source. tests/run runs
# them and prints the one closing line.

TESTS :=       # every test: name=command
CHECKS :=      # those of `make check`: quick, no boot
# What a test needs built: TEST_NEEDS_NAME.

# $(call unit_test,NAME,SOURCES,ROOMS): a C program, sanitized, part of `make check`.
define unit_test
$(foreach s,$(2),$(call compile,dbg,$(s),tests,$(3),-Itests))
$(O)/dbg/tests/$(1): $(patsubst %,$(O)/dbg/%.o,$(2)) $(patsubst %,$(O)/dbg/lib%.a,$(subst /,-,$(3)))
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' ld '$$@'
	@$(dbg.CC) $(dbg.CFLAGS) $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) \
	    -Wl,--end-group $(dbg.LDFLAGS) $$(LDLIBS_$(1)) -o $$@
TESTS += $(1)=$(O)/dbg/tests/$(1)
CHECKS += $(1)=$(O)/dbg/tests/$(1)
TEST_NEEDS_$(1) := $(O)/dbg/tests/$(1)

endef

# $(call script_test,NAME,SCRIPT,NEEDS): an executable script, full run only.
define script_test
TESTS += $(1)=$(2)
TEST_NEEDS_$(1) := $(3)

endef
# The same, quick enough for `make check` too.
define quick_test
$(call script_test,$(1),$(2),$(3))
CHECKS += $(1)=$(2)

endef

# What the chosen of these tests need; tests/run decides what a pattern means.
needs_of = $(foreach t,$(shell tests/run --only '$(ONLY)' --names $(1)),$(TEST_NEEDS_$(t)))

.PHONY: test-all check
test-all:
	@$(MAKE) --no-print-directory -s -j$$(nproc) test-deps ONLY='$(ONLY)'
	@tests/run --only '$(ONLY)' --ledger docs/features.md $(TESTS)
.PHONY: test-deps
test-deps: $$(call needs_of,$$(TESTS))
check: ## the fast loop: rooms, warnings, unit tests (under a minute)
	@$(MAKE) --no-print-directory -s -j$$(nproc) check-deps ONLY='$(ONLY)' || \
	    { scripts/setup --check; exit 1; }
	@tests/run --only '$(ONLY)' $(CHECKS)
.PHONY: check-deps
check-deps: $$(call needs_of,$$(CHECKS))
