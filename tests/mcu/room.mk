# Modules that only the test of the smallest host runs, and programs with them.
MCU_WATS := trap spin hungry denied numbers
$(MCU)/wat/%.wasm: tests/mcu/%.wat
	@mkdir -p $(@D)
	@wat2wasm --debug-names $< -o $@
$(foreach w,$(MCU_WATS),$(eval $(call mcu_program,$w,$(MCU)/wat/$w.wasm,$w)))
$(eval $(call mcu_program,factorial,$(O)/apps/factorial/factorial.wasm,factorial\\0005))
$(eval $(call script_test,mcu/apps,tests/mcu/run,$(MCU)/hello.elf $(MCU)/factorial.elf \
    $(MCU_WATS:%=$(MCU)/%.elf) $(O)/bin/vyoma $(O)/rel/bin/vyoma-run $(O)/apps/hello/hello.wasm))
