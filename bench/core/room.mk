$(eval $(call program,rel,bench-core,bench/core/lines.c,core formats trust base,,$$(TRUST_LIBS_rel)))
$(eval $(call benchmark,core,$(O)/rel/bin/bench-core,$(O)/rel/bin/bench-core))
