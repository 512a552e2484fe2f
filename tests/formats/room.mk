$(eval $(call program,dbg,toml-dump,tests/formats/toml_dump.c,formats base))
$(eval $(call script_test,formats/toml-suite,tests/formats/toml-suite,$(O)/dbg/bin/toml-dump))
$(eval $(call unit_test,unit/toml,tests/unit/toml.c,formats base))
$(eval $(call unit_test,unit/manifest,tests/unit/manifest.c,formats base))
