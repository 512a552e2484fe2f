# The page, in headless Chromium, with a few apps besides those that ship.
WEB_TEST := $(O)/tests/browser/parts
web.test_apps := $(patsubst tests/browser/apps/%.c,%,$(wildcard tests/browser/apps/*.c))
$(O)/tests/browser/%.wasm: tests/browser/apps/%.c $(wildcard sdk/include/vyoma/*.h) sdk/app.flags
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' app '$@'
	@$(call app_build,-Werror $<,$@)
$(WEB_TEST)/.stamp: $(WEB_FILES) $(web.test_apps:%=$(O)/tests/browser/%.wasm) \
    $(web.test_apps:%=tests/browser/apps/%.toml) tests/browser/folder $(WEB_SEAL) $(WEB_LIST) $$(wasi.programs)
	@tests/browser/folder $(WEB) $(WEB_TEST) $(web.test_apps)
	@node hosts/browser/seal.mjs $(WEB_TEST) $(O)/tests/browser/web
	@touch $@
$(eval $(call quick_test,browser/build,tests/browser/build.mjs,))
$(eval $(call script_test,browser/session,tests/browser/session.mjs,$(WEB_TEST)/.stamp $(O)/bin/vyoma))
$(eval $(call script_test,browser/storage,tests/browser/storage.mjs,$(WEB_TEST)/.stamp))
$(eval $(call unit_test,unit/browser_store,tests/unit/browser_store.c,hosts/browser/store wasi base))
$(eval $(call unit_test,unit/browser_heap,tests/unit/browser_heap.c,hosts/browser/heap base))
$(eval $(call script_test,browser/transcript,tests/browser/transcript.mjs,$(WEB_TEST)/.stamp \
    $(addprefix $(O)/rel/bin/,sandbox-supervise vyoma-run)))
$(eval $(call script_test,browser/firefox,tests/browser/firefox.mjs,$(WEB_TEST)/.stamp \
    $(addprefix $(O)/rel/bin/,sandbox-supervise vyoma-run)))
$(eval $(call fuzz_target,browser_store,tests/fuzz/browser_store.c,hosts/browser/store wasi base))
$(eval $(call script_test,browser/network,tests/browser/network.mjs,$(WEB_TEST)/.stamp $(O)/bin/vyoma \
    $(APPS)))
$(eval $(call script_test,browser/offline,tests/browser/offline.mjs,$(WEB_TEST)/.stamp))
$(eval $(call script_test,browser/many,tests/browser/many.mjs,$(WEB_TEST)/.stamp))
$(eval $(call quick_test,browser/places,tests/browser/places.mjs,$(addprefix $(WEB)/,wasi.wasm engine.wasm \
    apps/hello/hello.wasm)))
$(eval $(call script_test,browser/share,tests/browser/share.mjs,$(WEB_TEST)/.stamp))
