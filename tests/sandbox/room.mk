# Hostile programs against the layers under the engine, hostile apps against all of it.
SANDBOX_ROOMS := hosts/linux/supervisor hosts/linux hosts core formats trust wasi base

LDLIBS_unit/host = $(TRUST_LIBS_dbg)
$(eval $(call unit_test,unit/host,tests/sandbox/host.c,hosts core formats trust base))

$(eval $(call program,rel,sandbox-supervise,tests/sandbox/supervise.c,$(SANDBOX_ROOMS),,\
    $$(TRUST_LIBS_rel)))
$(eval $(call program,rel,sandbox-native,tests/sandbox/native.c,hosts/linux wasi base))

# A well-behaved app, built by the SDK's rules but not one that ships.
$(O)/tests/probe.wasm: tests/sandbox/probe.c $(wildcard sdk/include/vyoma/*.h) sdk/app.flags
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' app '$<'
	@$(call app_build,-Werror $<,$@)

SANDBOX_NEEDS := $(addprefix $(O)/rel/bin/,sandbox-supervise sandbox-native vyoma-run) \
    $(O)/tests/probe.wasm $(APPS)
$(foreach t,native apps bystander user-native user-apps,\
    $(eval $(call script_test,sandbox/$(t),tests/sandbox/$(t),$(SANDBOX_NEEDS))))
$(eval $(call script_test,sandbox/booted,tests/sandbox/booted,$(O)/rel/bin/sandbox-native \
    $(O)/image/vmlinux $(O)/image/root/vyoma-init))
