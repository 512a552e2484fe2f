# How an app's C becomes its module. For an app of its own, in the app's folder:
#
#     include $(shell vyoma sdk)/app.mk
#
# then `make` builds NAME.wasm beside vyoma.toml, NAME being the folder's name unless APP
# says otherwise. Vyoma's own apps use the same rules from apps/room.mk, which only needs
# the variables. The flags are in app.flags, one a line, which `vyoma build` reads too.
#
# The SDK's own path must be without spaces, since make splits there; `vyoma build` does not care.
#
# Settings: APP_CC (clang), APP_CFLAGS (more flags), SOURCES (*.c).

SDK := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
APP_CC ?= clang
APP_FLAGS = $(strip $(file < $(SDK)/app.flags)) -I$(SDK)/include

# $(call app_build,SOURCES,OUTPUT)
app_build = $(APP_CC) $(APP_FLAGS) $(APP_CFLAGS) $(1) -o $(2)

ifndef VYOMA_IN_TREE
APP ?= $(notdir $(CURDIR))
SOURCES ?= $(wildcard *.c)

$(APP).wasm: $(SOURCES) $(wildcard *.h $(SDK)/include/vyoma/*.h) $(SDK)/app.flags
	$(call app_build,$(SOURCES),$@)

.PHONY: clean
clean:
	rm -f $(APP).wasm
endif
