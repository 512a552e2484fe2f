# The first process of the image.
$(eval $(call program,rel,vyoma-init,$(addprefix hosts/linux/init/,main.c mounts.c machine.c),\
    hosts/linux/supervisor hosts/linux hosts core formats trust wasi base,,$$(TRUST_LIBS_rel)))
