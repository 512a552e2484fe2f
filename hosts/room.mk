# The hosts: what all of them share, and one sub-room for each kernel or device.
$(eval $(call room,hosts,hosts/drive.c,core formats base))
include $(wildcard hosts/*/room.mk)
