# How a room becomes a library, and a library a program.
#
# Two variants of everything:
#   rel  gcc, musl, static: what ships and what is measured
#   dbg  clang, glibc, AddressSanitizer and UBSan: what the tests run
# so both compilers see every file with every warning an error. A third, fuzz, is dbg with
# the coverage hooks of libFuzzer; only the targets in tests/fuzz/fuzz.mk ask for it.

O := out

WARN := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes \
        -Wmissing-prototypes -Wvla -Wundef -Wwrite-strings -Wno-unused-parameter
STD := -std=c11 -fno-common -fno-strict-aliasing -ffunction-sections -fdata-sections

rel.CC := musl-gcc
rel.CFLAGS := -O2 -g1 -fno-asynchronous-unwind-tables -fstack-protector-strong \
              -isystem $(O)/kernel-headers
rel.LDFLAGS := -static -Wl,--gc-sections -Wl,-z,noexecstack -Wl,-z,relro
dbg.CC := clang
dbg.CFLAGS := -O1 -g -DBASE_PARANOID=1 -fsanitize=address,undefined \
              -fno-sanitize-recover=undefined -fno-omit-frame-pointer
dbg.LDFLAGS := -fsanitize=address,undefined
fuzz.CC := clang
fuzz.CFLAGS := $(dbg.CFLAGS) -fsanitize=fuzzer-no-link
fuzz.LDFLAGS := -fsanitize=fuzzer,address,undefined

# musl-gcc sees none of glibc's headers; the kernel's own belong to neither libc.
# They are borrowed through links so that nothing else of /usr/include leaks in.
$(O)/kernel-headers/.stamp:
	@mkdir -p $(@D)
	@ln -sfn /usr/include/linux $(@D)/linux
	@ln -sfn /usr/include/asm-generic $(@D)/asm-generic
	@ln -sfn /usr/include/$(shell uname -m)-linux-gnu/asm $(@D)/asm
	@ln -sfn /usr/include/mtd $(@D)/mtd
	@touch $@

# $(call room,NAME,SOURCES,ROOMS[,FLAGS]): out/VARIANT/libNAME.a from SOURCES (paths
# from the top). ROOMS: the rooms whose public headers it may include; there is
# no other way to a header, so an arrow that points the wrong way does not compile.
# NAME's own public headers are in NAME/include (for a sub-room such as
# hosts/linux, in hosts/linux/include).
# Per-file flags: CFLAGS_path/to/file.c += ...; another compiler for a room in one
# variant: VARIANT.CC_NAME := ...
define room
$(foreach v,rel dbg fuzz,$(call room_variant,$(v),$(1),$(2),$(3),$(4)))

endef
define room_variant
$(1).$(2).objs := $(patsubst %,$(O)/$(1)/%.o,$(3))
$(foreach s,$(3),$(call compile,$(1),$(s),$(2),$(4),$(5)))
$(O)/$(1)/lib$(subst /,-,$(2)).a: $$($(1).$(2).objs)
	@mkdir -p $$(@D)
	@rm -f $$@ && ar rcs $$@ $$^
ALL += $(if $(filter rel dbg,$(1)),$(O)/$(1)/lib$(subst /,-,$(2)).a)

endef
# $(call compile,VARIANT,SOURCE,ROOM,ROOMS,FLAGS)
define compile
$(O)/$(1)/$(2).o: $(2) $(O)/kernel-headers/.stamp
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' cc '$(2) ($(1))'
	@$$(or $$($(1).CC_$(3)),$$($(1).CC)) $(STD) $(WARN) $$($(1).CFLAGS) \
	    $(patsubst %,-I%/include,$(3) $(4)) $(5) $$(CFLAGS_$(2)) -MMD -MP -c $$< -o $$@
-include $(O)/$(1)/$(2).d

endef

# $(call program,VARIANT,NAME,SOURCES,ROOMS[,FLAGS[,LDLIBS]]): out/VARIANT/bin/NAME, its
# SOURCES compiled with the headers of ROOMS and linked with the libraries of
# ROOMS, users before what they use.
define program
$(foreach s,$(3),$(call compile,$(1),$(s),$(patsubst %/,%,$(dir $(s))),$(4),$(5)))
$(O)/$(1)/bin/$(2): $(patsubst %,$(O)/$(1)/%.o,$(3)) $(patsubst %,$(O)/$(1)/lib%.a,$(subst /,-,$(4)))
	@mkdir -p $$(@D)
	@printf '  %-4s %s\n' ld '$$@'
	@$($(1).CC) $$($(1).CFLAGS) $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) \
	    -Wl,--end-group $(6) $$($(1).LDFLAGS) -o $$@
ALL += $(O)/$(1)/bin/$(2)

endef
