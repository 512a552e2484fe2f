core.sources := $(addprefix core/,core.c lists.c apps.c boot.c lifecycle.c stop.c stdin.c output.c \
    broker.c messages.c requests.c policy.c console.c screen.c shell.c jobs.c audit.c tally.c \
    check.c audit_chain.c)
$(eval $(call room,core,$(core.sources),formats trust base))

# unit/core: the thin path; the others: what docs/manifest.md and docs/app-abi.md promise.
core.tests := core core_audit core_messages core_lifecycle core_console core_shell \
    core_policy
$(foreach t,$(core.tests),$(eval LDLIBS_unit/$(t) = $$(TRUST_LIBS_dbg)) \
    $(eval $(call unit_test,unit/$(t),tests/unit/$(t).c,core formats trust base)))
