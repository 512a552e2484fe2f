# The relay for apps in a page: an ordinary program of the machine that runs it, linked with the
# machine's libraries, since Debian has the WebSocket library in no other form.
sys.CC := gcc
sys.CFLAGS := -O2 -g -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2
BRIDGE_SOURCES := $(wildcard hosts/bridge/*.c) $(formats.sources) base/ring.c base/strbuf.c base/utf8.c \
    hosts/linux/resolve.c hosts/linux/wasi_errno.c
$(foreach s,$(BRIDGE_SOURCES),$(eval $(call compile,sys,$(s),$(patsubst %/,%,$(dir $(s))),\
    hosts/linux formats wasi base,)))
$(O)/rel/bin/vyoma-bridge: $(patsubst %,$(O)/sys/%.o,$(BRIDGE_SOURCES))
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' ld '$@'
	@$(sys.CC) -pie -Wl,-z,relro,-z,now $^ -lwslay -lmd -o $@
ALL += $(O)/rel/bin/vyoma-bridge
