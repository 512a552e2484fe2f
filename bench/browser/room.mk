$(eval $(call benchmark,browser,bench/browser/browser.mjs,$(WEB_SEALED) $(WEB_TEST)/.stamp))
$(eval $(call benchmark,browserload,bench/browser/load.mjs,$(WEB_TEST)/.stamp))
