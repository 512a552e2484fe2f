# Each folder with a main.c is an app. As it ships it is two files:
# out/apps/NAME/vyoma.toml and out/apps/NAME/NAME.wasm.

VYOMA_IN_TREE := 1
include sdk/app.mk

APP_NAMES := $(sort $(patsubst apps/%/main.c,%,$(wildcard apps/*/main.c)))

# $(call app,NAME,FOLDER)
define app
$(O)/apps/$(1)/$(1).wasm: $(wildcard $(2)/*.c $(2)/*.h) $(wildcard sdk/include/vyoma/*.h) sdk/app.flags
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' app '$(1)'
	@$$(call app_build,-Werror $$(filter $(2)/%.c,$$^),$$@)
$(O)/apps/$(1)/vyoma.toml: $(2)/vyoma.toml
	@mkdir -p $$(@D)
	@cp $$< $$@
APPS += $(O)/apps/$(1)/$(1).wasm $(O)/apps/$(1)/vyoma.toml

endef
$(foreach a,$(APP_NAMES),$(eval $(call app,$(a),apps/$(a))))
ALL += $(APPS)

.PHONY: apps
apps: $$(APPS) ## build the apps into out/apps/
