# Booted machines: tests/boot/machine.py drives them.
$(eval $(call program,rel,boot-init,tests/boot/init.c,))
$(O)/image/bare.cpio: $(O)/rel/bin/boot-init image/initramfs.py
	@mkdir -p $(@D)
	@strip -o $(O)/image/bare-init $<
	@image/initramfs.py $@ init=$(O)/image/bare-init

# A kernel test: its own first process, and the folders that it mounts on.
$(eval $(call program,rel,boot-kernel-init,tests/boot/kernel_init.c,))
$(O)/image/kernel-test.cpio: $(O)/rel/bin/boot-kernel-init image/initramfs.py
	@mkdir -p $(@D)
	@image/initramfs.py $@ init=$< proc/ sys/ data/ share/ run/
$(eval $(call script_test,boot/kernel,tests/boot/kernel.py,$(O)/image/vmlinux $(O)/image/kernel-test.cpio))

# The image with a first process that hurts the supervisor.
$(eval $(call program,rel,boot-crash,tests/boot/crash.c,))
$(O)/image/crash.cpio: $(O)/rel/bin/boot-crash $(IMAGE_ROOT) $(APPS) image/boot.toml image/initramfs.py
	@mkdir -p $(@D)
	@strip -o $(O)/image/crash-init $<
	@image/initramfs.py $@ init=$(O)/image/crash-init bin/vyoma-init=$(IMAGE)/root/vyoma-init \
	    bin/vyoma-run=$(IMAGE)/root/vyoma-run boot.toml=image/boot.toml \
	    $(foreach a,$(APPS),$(a:$(O)/%=%)=$(a)) proc/ sys/ data/ share/ run/

# The whole system, once there is a supervisor to boot.
BOOT_FILES := $(addprefix $(O)/image/,bzImage vmlinux initramfs.cpio initramfs.cpio.xz)
$(eval $(call script_test,boot/image,tests/boot/image.py,$(BOOT_FILES)))
$(eval $(call script_test,boot/reproducible,tests/boot/reproducible.sh,$(BOOT_FILES)))
$(eval $(call script_test,boot/session,tests/boot/session.py,$(BOOT_FILES)))
$(eval $(call script_test,boot/system,tests/boot/system.py,$(BOOT_FILES) $(O)/image/idle.cpio))
$(eval $(call script_test,boot/trouble,tests/boot/trouble.py,$(BOOT_FILES) $$(O)/image/crash.cpio))
$(eval $(call script_test,boot/run,tests/boot/run.py,$(BOOT_FILES) $(O)/image/data.img))
