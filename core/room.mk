core.sources := $(addprefix core/,core.c lists.c apps.c boot.c lifecycle.c stop.c stdin.c output.c \
    broker.c messages.c requests.c policy.c console.c screen.c shell.c jobs.c audit.c tally.c \
    check.c audit_chain.c)
$(eval $(call room,core,$(core.sources),formats trust base))

LDLIBS_unit/core = $(TRUST_LIBS_dbg)
$(eval $(call unit_test,unit/core,tests/unit/core.c,core formats trust base))
