# The `vyoma` command, and what `make install` gives to people who make apps.
CLI_SOURCES := $(addprefix sdk/cli/,main.c options.c tell.c files.c build.c new.c hash.c help.c \
    check.c inspect.c module.c grant.c run.c bridge.c)
CLI_ROOMS := hosts/linux/supervisor hosts/linux hosts core formats trust engine wasi base
$(eval $(call program,rel,vyoma,$(CLI_SOURCES),$(CLI_ROOMS),-D_GNU_SOURCE,$$(TRUST_LIBS_rel)))

# The copy that people on the build machine type; the SDK is found from where it points to.
$(O)/bin/vyoma: $(addprefix $(O)/rel/bin/,vyoma vyoma-run vyoma-bridge)
	@mkdir -p $(@D)
	@ln -sfn ../rel/bin/vyoma $@
ALL += $(O)/bin/vyoma

PREFIX ?= /usr/local
DESTDIR ?=
INSTALL_TO = $(DESTDIR)$(PREFIX)

.PHONY: install
install: $(addprefix $(O)/rel/bin/,vyoma vyoma-run vyoma-bridge) ## install the vyoma command (PREFIX=, DESTDIR=)
	install -d "$(INSTALL_TO)/bin" "$(INSTALL_TO)/share/man/man1" "$(INSTALL_TO)/share/vyoma" \
	    "$(INSTALL_TO)/share/bash-completion/completions" "$(INSTALL_TO)/share/zsh/site-functions"
	install -s -m 755 $(addprefix $(O)/rel/bin/,vyoma vyoma-run vyoma-bridge) "$(INSTALL_TO)/bin"
	install -m 644 sdk/man/vyoma.1 "$(INSTALL_TO)/share/man/man1"
	install -m 644 sdk/completion/vyoma.bash "$(INSTALL_TO)/share/bash-completion/completions/vyoma"
	install -m 644 sdk/completion/_vyoma "$(INSTALL_TO)/share/zsh/site-functions"
	install -m 644 sdk/app.mk sdk/app.flags "$(INSTALL_TO)/share/vyoma"
	cp -R --no-preserve=ownership,timestamps sdk/include sdk/templates "$(INSTALL_TO)/share/vyoma"
