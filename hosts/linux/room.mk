# What the supervisor and its workers share: the channel between them.
hosts/linux.sources := $(addprefix hosts/linux/,beneath.c bpf.c ctl.c paths.c resolve.c seccomp.c seccomp_coarse.c usage.c wasi_errno.c)
$(eval $(call room,hosts/linux,$(hosts/linux.sources),wasi base))
include $(wildcard hosts/linux/*/room.mk)
