# The interpreter is one set of operations and three ways to get from one to the
# next. What ships is built by clang 19: its preserve_none calls keep the machine in
# registers. The other two prove that any C compiler will do.
engine.sources := $(wildcard engine/decode/*.c engine/validate/*.c engine/runtime/*.c) \
                  engine/interp/cross.c
engine.dispatch := engine/interp/dispatch_tail.c

rel.CC_engine := clang-19 --target=x86_64-linux-musl -isystem /usr/include/x86_64-linux-musl
$(eval $(call room,engine,$(engine.sources) $(engine.dispatch),base,-Iengine -fno-math-errno))
