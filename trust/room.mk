# libsodium comes as Debian's static archive, also for musl (see README.md). musl-gcc
# sees none of glibc's headers: libsodium's own folder is borrowed through a link.
$(O)/sodium-headers/.stamp:
	@mkdir -p $(@D)
	@ln -sfn /usr/include/sodium $(@D)/sodium
	@touch $@

$(foreach v,rel dbg,$(O)/$(v)/trust/sha256.c.o): $(O)/sodium-headers/.stamp

$(eval $(call room,trust,trust/sha256.c trust/sodium_glue.c,base,-isystem $(O)/sodium-headers))

# What a program that uses trust/ (or a room that does, as core/ does) passes as
# LDLIBS of $(call program,...) or sets as LDLIBS_group/name of a unit test.
# The -u makes the linker take trust/sodium_glue.c before it looks into libsodium.
SODIUM_ARCHIVE := $(shell gcc -print-file-name=libsodium.a 2>/dev/null)
TRUST_LIBS_rel = -Wl,-u,sodium_memzero $(O)/rel/libtrust.a $(SODIUM_ARCHIVE)
TRUST_LIBS_dbg = -l:libsodium.a

LDLIBS_unit/trust = $(TRUST_LIBS_dbg)
$(eval $(call unit_test,unit/trust,tests/unit/trust.c,trust base))
$(eval $(call program,rel,trust-selftest,tests/unit/trust.c,trust base,-Itests,$$(TRUST_LIBS_rel)))
$(eval $(call quick_test,unit/trust-rel,$(O)/rel/bin/trust-selftest,$(O)/rel/bin/trust-selftest))
