# The `vyoma` command, and what `make install` gives to people who make apps.
CLI_SOURCES := $(addprefix sdk/cli/,main.c options.c tell.c files.c build.c new.c hash.c help.c \
    check.c inspect.c module.c run.c)
CLI_ROOMS := hosts/linux/supervisor hosts/linux hosts core formats trust engine wasi base
$(eval $(call program,rel,vyoma,$(CLI_SOURCES),$(CLI_ROOMS),-D_GNU_SOURCE,$$(TRUST_LIBS_rel)))

# The copy that people on the build machine type; the SDK is found from where it points to.
$(O)/bin/vyoma: $(O)/rel/bin/vyoma $(O)/rel/bin/vyoma-run
	@mkdir -p $(@D)
	@ln -sfn ../rel/bin/vyoma $@
ALL += $(O)/bin/vyoma
