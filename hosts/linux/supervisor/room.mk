$(eval $(call room,hosts/linux/supervisor,$(addprefix hosts/linux/supervisor/,\
    supervisor.c loop.c fair.c load.c code.c override.c worker.c control.c requests.c net.c data.c \
    audit.c console.c sandbox.c start.c refused.c cgroup.c),\
    hosts/linux hosts core formats trust wasi base))
