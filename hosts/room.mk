# The hosts: what all of them share, and one sub-room for each kernel or device.
hosts.sources := hosts/drive.c hosts/worker.c
$(eval $(call room,hosts,$(hosts.sources),core formats wasi base))
include $(wildcard hosts/*/room.mk)
