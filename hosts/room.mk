# The hosts: one sub-room for each kernel or device.
include $(wildcard hosts/*/room.mk)
