# Vyoma. `make help` lists the targets; docs/architecture.md explains the rooms.
#
# One make, no recursion into folders: each room says in its room.mk what it is
# made of, mk/build.mk knows how that is built. Everything built lands in out/.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
SHELL := /bin/bash

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | \
	    awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

.SECONDEXPANSION:

include mk/build.mk
include mk/test.mk
include tests/fuzz/fuzz.mk
include bench/bench.mk
# In the order in which rooms may use one another.
ROOMS := base formats trust engine component wasi core display hosts kernel sdk apps image
include $(wildcard $(ROOMS:%=%/room.mk) tests/room.mk bench/room.mk tests/*/room.mk bench/*/room.mk)

.PHONY: all
all: $(ALL) ## build everything but the bootable image

.PHONY: clean
clean: ## remove everything built, except the kernel cache and data.img, what apps have stored
	rm -rf $(filter-out out/cache out/image,$(wildcard out/*)) \
	    $(filter-out out/image/data.img,$(wildcard out/image/*))
	@[ ! -e out/image/data.img ] || echo 'kept: out/image/data.img (what apps have stored)'

.PHONY: setup
setup: ## install the Debian packages that the build and the tests need
	@scripts/setup

# What a person types sets the machine up first, then runs the real target in a
# second make, so that tools installed by the first are seen by the second.
.PHONY: test run bench
test: setup ## set up, build, run every test (ONLY=pattern runs some)
	@$(MAKE) --no-print-directory test-all ONLY='$(ONLY)'
run: setup ## set up, build, boot in QEMU (HEADLESS=1: a scripted session; HOST=browser: serve the page)
	@$(MAKE) --no-print-directory $(if $(filter browser,$(HOST)),run-browser,run-image) HEADLESS='$(HEADLESS)'
bench: setup ## set up, build, print the figures (ONLY=pattern for some)
	@$(MAKE) --no-print-directory bench-all ONLY='$(ONLY)'
