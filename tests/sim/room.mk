# The simulator of the core. `make sim` runs one seed; sim/many a million steps, sanitized
# sim/few some ten thousand.
sim.sources := $(addprefix tests/sim/,plan.c books.c model.c world.c mutants.c)
sim.rooms := core formats trust base
$(eval $(call room,tests/sim,$(sim.sources),$(sim.rooms),-Itests))
$(eval $(call program,rel,sim,tests/sim/main.c,tests/sim $(sim.rooms),-Itests,$$(TRUST_LIBS_rel)))
$(eval $(call program,rel,sim-many,tests/sim/many.c,tests/sim $(sim.rooms),-Itests,$$(TRUST_LIBS_rel)))
$(eval $(call program,dbg,sim-many,tests/sim/many.c,tests/sim $(sim.rooms),-Itests,$$(TRUST_LIBS_dbg)))
$(eval $(call script_test,sim/many,tests/sim/run-many,$(O)/rel/bin/sim-many))
$(eval $(call script_test,sim/few,tests/sim/run-few,$(O)/dbg/bin/sim-many))

$(eval $(call fuzz_target,core_events,tests/fuzz/core_events.c,core formats trust base,$$(TRUST_LIBS_dbg)))

SEED ?= 1
STEPS ?= 20000
.PHONY: sim
sim: $(O)/rel/bin/sim ## simulate the core (SEED=n STEPS=n; SIM_VERBOSE=1 shows every step)
	@$(O)/rel/bin/sim '$(or $(SEED),1)' '$(or $(STEPS),20000)'
