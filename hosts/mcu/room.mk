# The smallest host: engine, WASI and one app on a Cortex-M4F, in QEMU's mps2-an386.
MCU := $(O)/mcu
MCU_CC := arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16
MCU_CFLAGS := $(STD) $(WARN) -Os -ffreestanding -fno-math-errno -fno-tree-loop-distribute-patterns \
              -DENG_SIMD=0 -DENG_SMALL=1 -Ihosts/mcu/include -Iengine -Iengine/include \
              -Iwasi/include -Iwasi -Ibase/include
MCU_ENGINE := $(patsubst %,$(MCU)/%.o,$(engine.small) $(wildcard base/*.c))
MCU_HOST := $(patsubst %,$(MCU)/%.o,$(wildcard wasi/*.c hosts/mcu/*.c))
$(MCU)/%.o: %
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' cc '$< (Cortex-M4)'
	@$(MCU_CC) $(MCU_CFLAGS) -MMD -MP -c $< -o $@
-include $(MCU_ENGINE:.o=.d) $(MCU_HOST:.o=.d)

# $(call mcu_program,NAME,MODULE,ARGS): out/mcu/NAME.elf, which runs that app; ARGS as an
# assembler's string has them, with \0 between.
define mcu_program
$(MCU)/$(1).elf: $(2) hosts/mcu/app.S hosts/mcu/mps2.ld $(MCU_ENGINE) $(MCU_HOST)
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' ld '$$@'
	@$(MCU_CC) -DAPP_MODULE='"$(2)"' -DAPP_ARGS='"$(3)"' -c hosts/mcu/app.S -o $$@.o
	@$(MCU_CC) -nostdlib -Wl,--gc-sections -Wl,-Map,$$@.map -T hosts/mcu/mps2.ld $(MCU_ENGINE) \
	    $(MCU_HOST) $$@.o -lgcc -o $$@

endef
$(eval $(call mcu_program,hello,$(O)/apps/hello/hello.wasm,hello))

# The same choice for x86-64, to know what the choice saves and what the CPU costs.
MINIMAL_ENGINE := $(patsubst %,$(O)/minimal/%.o,$(engine.small))
$(O)/minimal/%.o: %
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' cc '$< (minimal)'
	@gcc $(STD) $(WARN) -Os -fno-math-errno -fno-asynchronous-unwind-tables -DENG_SIMD=0 -DENG_SMALL=1 -Iengine \
	    -Iengine/include -Ibase/include -MMD -MP -c $< -o $@
-include $(MINIMAL_ENGINE:.o=.d)
$(eval $(call script_test,engine/m4,tests/engine/m4.py,$(MCU_ENGINE)))
