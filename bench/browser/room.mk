$(eval $(call benchmark,browser,bench/browser/browser.mjs,$(WEB_SEALED) $(WEB_TEST)/.stamp))
