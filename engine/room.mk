# The interpreter is one set of operations and three ways to get from one to the
# next. What ships is built by clang 19: its preserve_none calls keep the machine in
# registers. The other two prove that any C compiler will do.
engine.native := $(if $(filter x86_64,$(shell uname -m)),$(wildcard engine/x64/*.c) engine/validate/parts.c,\
                   engine/runtime/native_none.c)
engine.sources := $(filter-out engine/runtime/native_none.c engine/validate/parts.c engine/validate/fuse_none.c \
                  engine/validate/quick_none.c,$(wildcard engine/decode/*.c \
                  engine/validate/*.c engine/runtime/*.c)) engine/interp/cross.c
engine.dispatch := engine/interp/dispatch_tail.c
# What ENG_SMALL goes with: for machines with little memory.
engine.small := $(filter-out engine/validate/fuse.c engine/validate/quick.c,$(engine.sources)) \
                engine/validate/fuse_none.c engine/validate/quick_none.c engine/runtime/native_none.c engine/interp/dispatch_switch.c

rel.CC_engine := clang-19 --target=x86_64-linux-musl -isystem /usr/include/x86_64-linux-musl
# An operation begins a line of the cache: else how fast the interpreter is, a sixth more or less,
# depends on where the linker happens to put it. 33 KB of the program.
CFLAGS_engine/interp/dispatch_tail.c += -falign-functions=64
# The runtime is built for size. What sees every byte of a module is not: the compiler's speed
# is what makes it a tier. Nor is what every call from outside goes through.
$(foreach f,$(filter-out engine/validate/% engine/runtime/call.c,$(engine.sources)),$(eval CFLAGS_$f += -Os))
# Its loops are of a few turns each: what makes long ones quick would cost more than they do.
CFLAGS_engine/runtime/call.c += -fno-unroll-loops -fno-tree-vectorize
$(eval $(call room,engine,$(engine.sources) $(engine.native) $(engine.dispatch),base,-Iengine -fno-math-errno))

# The other two, once each and by gcc, for the tests below. gcc needs half a minute
# and more for them at -O2.
engine.fallbacks := goto switch
$(O)/engine/dispatch_%.o: engine/interp/dispatch_%.c
	@mkdir -p $(@D)
	@printf '  %-4s %s\n' cc '$< (gcc)'
	@gcc $(STD) $(WARN) -O1 -fno-math-errno -Iengine -Iengine/include -Ibase/include -MMD -MP -c $< -o $@
-include $(engine.fallbacks:%=$(O)/engine/dispatch_%.d)
