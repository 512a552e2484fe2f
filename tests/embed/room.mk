# An embedder over libc for tests, fuzzers and benchmarks of the engine.
$(eval $(call room,tests/embed,tests/embed/embed.c tests/embed/threads.c,engine base))
