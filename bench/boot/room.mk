# 200 apps of one module, each with its own name, in an initial file system of their own.
BENCH_IDLE := $(O)/bench/boot/idle
$(BENCH_IDLE)/idle.wasm: bench/boot/idle.c $(wildcard sdk/include/vyoma/*.h) sdk/app.flags
	@mkdir -p $(@D)
	@$(call app_build,-Werror $<,$@)
$(O)/image/idle.cpio: $(BENCH_IDLE)/idle.wasm $(IMAGE_ROOT) $(APPS) bench/boot/idle.py
	@bench/boot/idle.py $@ $(BENCH_IDLE) 200

$(eval $(call benchmark,boot,bench/boot/boot.py,$(BOOT_FILES) $(addprefix $(O)/image/,bare.cpio idle.cpio)))
