# The engine as a Cortex-M4 would get it: the interpreter, without SIMD and the compiler, the
# switch to dispatch since labels are no 64-bit words there. Compiled, not yet linked or run.
MCU := $(O)/mcu
MCU_CC := arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16
MCU_ENGINE := $(patsubst %,$(MCU)/%.o,$(engine.sources) engine/runtime/native_none.c \
                engine/interp/dispatch_switch.c $(wildcard base/*.c))
$(MCU)/%.o: %
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' cc '$< (Cortex-M4)'
	@$(MCU_CC) $(STD) $(WARN) -Os -ffreestanding -fno-math-errno -DENG_SIMD=0 -Ihosts/mcu/include \
	    -Iengine -Iengine/include -Ibase/include -MMD -MP -c $< -o $@
-include $(MCU_ENGINE:.o=.d)

# The same choice for x86-64, to know what the choice saves and what the CPU costs.
MINIMAL_ENGINE := $(patsubst %,$(O)/minimal/%.o,$(engine.sources) engine/runtime/native_none.c \
                    engine/interp/dispatch_switch.c)
$(O)/minimal/%.o: %
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' cc '$< (minimal)'
	@gcc $(STD) $(WARN) -Os -fno-math-errno -fno-asynchronous-unwind-tables -DENG_SIMD=0 -Iengine \
	    -Iengine/include -Ibase/include -MMD -MP -c $< -o $@
-include $(MINIMAL_ENGINE:.o=.d)
$(eval $(call script_test,engine/m4,tests/engine/m4.py,$(MCU_ENGINE)))
