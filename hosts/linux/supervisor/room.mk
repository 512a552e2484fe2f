$(eval $(call room,hosts/linux/supervisor,$(addprefix hosts/linux/supervisor/,\
    sandbox.c start.c filter.c cgroup.c),hosts/linux hosts core formats trust wasi base))
