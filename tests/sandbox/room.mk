# Hostile programs against the layers under the engine, hostile apps against all of it.
SANDBOX_ROOMS := hosts/linux/supervisor hosts/linux hosts core formats trust wasi base

LDLIBS_unit/host = $(TRUST_LIBS_dbg)
$(eval $(call unit_test,unit/host,tests/sandbox/host.c,hosts core formats trust base))

$(eval $(call program,rel,sandbox-supervise,tests/sandbox/supervise.c,$(SANDBOX_ROOMS),,\
    $$(TRUST_LIBS_rel)))
$(eval $(call program,rel,sandbox-native,tests/sandbox/native.c,hosts/linux wasi base))

SANDBOX_PROGRAMS := $(addprefix $(O)/rel/bin/,sandbox-supervise sandbox-native)
$(eval $(call script_test,sandbox/native,tests/sandbox/native,$(SANDBOX_PROGRAMS)))
