# What boots: out/image/{bzImage,vmlinux,initramfs.cpio,initramfs.cpio.xz,data.img}.
IMAGE := $(O)/image

LINUX_SOURCE := $(wildcard /usr/src/linux-source-6.1.tar.xz)
$(IMAGE)/bzImage: image/linux.config image/build-kernel $(LINUX_SOURCE)
	+@image/build-kernel $(IMAGE)
$(IMAGE)/vmlinux: $(IMAGE)/bzImage
	@touch $@

# The programs without their debug information, as /init and /bin/vyoma-run.
$(IMAGE)/root/%: $(O)/rel/bin/%
	@mkdir -p $(@D)
	@strip -o $@ $<

IMAGE_ROOT := $(IMAGE)/root/vyoma-init $(IMAGE)/root/vyoma-run
$(IMAGE)/initramfs.cpio: $(IMAGE_ROOT) $(APPS) image/boot.toml image/initramfs.py
	@printf '  %-4s %s\n' cpio '$@'
	@image/initramfs.py $@ init=$(IMAGE)/root/vyoma-init bin/vyoma-run=$(IMAGE)/root/vyoma-run \
	    boot.toml=image/boot.toml $(foreach a,$(APPS),$(a:$(O)/%=%)=$(a)) \
	    proc/ sys/ data/ share/ run/
# The same for a machine that reads it from a slow disk. Linux reads only this check.
$(IMAGE)/initramfs.cpio.xz: $(IMAGE)/initramfs.cpio
	@xz -T1 --check=crc32 --lzma2=preset=9e,dict=4MiB -c $< >$@

# Made once: it holds what apps have stored.
$(IMAGE)/data.img: | $(IMAGE)/initramfs.cpio
	@PYTHONPATH=image python3 -B -c 'import qemu; qemu.make_disk("$@")'

IMAGE_FILES := $(addprefix $(IMAGE)/,bzImage vmlinux initramfs.cpio initramfs.cpio.xz data.img)

.PHONY: image run-image reproducible
image: $(IMAGE_FILES) ## build what boots, into out/image/
run-image:
	@$(MAKE) --no-print-directory -s -j$$(nproc) image
	@image/run $(if $(HEADLESS),--headless) $(if $(MEM),--memory $(MEM)) \
	    $(if $(HTTP_PORT),--http-port $(HTTP_PORT)) $(if $(SHARE),--share '$(SHARE)') \
	    $(if $(KERNEL),--kernel '$(KERNEL)') $(if $(APPEND),--append '$(APPEND)')
reproducible: $(IMAGE_FILES) ## build kernel and initramfs again elsewhere, compare (10 minutes)
	@tests/boot/reproducible.sh --kernel
