$(eval $(call program,dbg,toml-dump,tests/formats/toml_dump.c,formats base))
$(eval $(call program,dbg,check-file,tests/formats/check_file.c,formats base))
$(eval $(call script_test,formats/toml-suite,tests/formats/toml-suite,$(O)/dbg/bin/toml-dump))
$(eval $(call quick_test,formats/documents,tests/formats/documents,$(O)/dbg/bin/check-file))
$(foreach t,toml manifest boot json lines argv,$(eval $(call \
    unit_test,unit/$(t),tests/unit/$(t).c,formats base)))
$(foreach f,toml manifest boot json lines,$(eval $(call \
    fuzz_target,$(f),tests/fuzz/$(f).c,formats base)))
