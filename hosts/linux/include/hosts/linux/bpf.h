/* System call filters, put together instruction by instruction: classic BPF over struct
 * seccomp_data (Documentation/userspace-api/seccomp_filter.rst of Linux). */
#ifndef HOSTS_LINUX_BPF_H
#define HOSTS_LINUX_BPF_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BPF_PROGRAM_MAX = 512, /* instructions */
    BPF_CALLS_MAX = 512,   /* numbers of calls that a program tells apart */
};

struct bpf_program {
    struct sock_filter code[BPF_PROGRAM_MAX];
    unsigned short len;
};

/* Adds one instruction. A program that grows too long is a bug: asserted. */
void bpf_emit(struct bpf_program *p, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k);
/* Loads four bytes of struct seccomp_data; an argument's low half, its high half. */
void bpf_load(struct bpf_program *p, size_t offset);
void bpf_load_argument(struct bpf_program *p, unsigned arg);
void bpf_load_argument_high(struct bpf_program *p, unsigned arg);
void bpf_return(struct bpf_program *p, uint32_t what);
/* If the loaded value is k go on with the next instruction, else skip `over`. */
void bpf_unless(struct bpf_program *p, uint32_t k, uint8_t over);
/* The same for an argument's low half, which is loaded first. */
void bpf_unless_argument(struct bpf_program *p, unsigned arg, uint32_t k, uint8_t over);

/* Empties p; then: calls of another processor's table kill, and the call's number is loaded. */
void bpf_begin(struct bpf_program *p);

/* For each number below BPF_CALLS_MAX the answer that answers[] holds; for all others the last
 * one's. emit writes what an answer comes to, ends with a return, and finds the number
 * loaded. */
void bpf_calls(struct bpf_program *p, const uint8_t answers[BPF_CALLS_MAX],
               void (*emit)(struct bpf_program *p, uint8_t answer, const void *ctx),
               const void *ctx);

/* For this process, for good, with the flags of seccomp(2). no_new_privs must be set. What the
 * call returns, or -errno. Makes no other system call and touches no memory but the stack. */
int bpf_install(const struct bpf_program *p, unsigned flags);

#endif
