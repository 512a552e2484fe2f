sim.sources := $(addprefix tests/sim/,plan.c books.c model.c world.c mutants.c)
sim.rooms := core formats trust base
$(eval $(call program,rel,sim,$(sim.sources) tests/sim/main.c,$(sim.rooms),-Itests,$$(TRUST_LIBS_rel)))
