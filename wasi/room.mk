# Preview 1 and the vyoma module. link.c alone knows the engine; the rest runs on any
# memory, which is how the tests and the fuzzer run it.
wasi.sources := $(addprefix wasi/,args.c clock.c dir.c fd.c file.c functions.c guest.c link.c \
    path.c poll.c proc.c random.c refusal.c sock.c table.c vyoma.c)
$(eval $(call room,wasi,$(wasi.sources),engine base))
