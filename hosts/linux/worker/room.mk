# vyoma-run, the process that runs one app; its parts are a library so that tests can run
# WASI programs without a sandbox around them.
$(eval $(call room,hosts/linux/worker,$(addprefix hosts/linux/worker/,env.c code.c helpers.c wasi_file.c \
    wasi_net.c wasi_path.c),hosts/linux engine wasi base))
$(foreach v,rel dbg,$(eval $(call program,$(v),vyoma-run,$(addprefix hosts/linux/worker/,main.c \
    channel.c),hosts/linux/worker hosts/linux wasi engine base)))
