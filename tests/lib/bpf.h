/* What a system call filter says, without a kernel. */
#ifndef TESTS_LIB_BPF_H
#define TESTS_LIB_BPF_H

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <string.h>

#include "hosts/linux/bpf.h"

#if defined(__x86_64__)
#define BPF_THIS_ARCH AUDIT_ARCH_X86_64
#else
#define BPF_THIS_ARCH AUDIT_ARCH_AARCH64
#endif

/* To one call with that first argument, and others with all bits set. 1: an instruction that no
 * program of ours has; 2: it has no end. */
static inline uint32_t bpf_decide_first(const struct bpf_program *p, uint32_t nr, uint64_t first)
{
    struct seccomp_data d = { .nr = (int)nr, .arch = BPF_THIS_ARCH };
    uint32_t a = 0;
    memset(d.args, 0xff, sizeof d.args);
    d.args[0] = first;
    for (unsigned pc = 0; pc < p->len; pc++) {
        const struct sock_filter *f = &p->code[pc];
        bool jump;
        switch (f->code) {
        case BPF_LD | BPF_W | BPF_ABS: memcpy(&a, (const char *)&d + f->k, 4); continue;
        case BPF_RET | BPF_K: return f->k;
        case BPF_JMP | BPF_JEQ | BPF_K: jump = a == f->k; break;
        case BPF_JMP | BPF_JGE | BPF_K: jump = a >= f->k; break;
        case BPF_JMP | BPF_JSET | BPF_K: jump = (a & f->k) != 0; break;
        default: return 1;
        }
        pc += jump ? f->jt : f->jf;
    }
    return 2;
}

static inline uint32_t bpf_decide(const struct bpf_program *p, uint32_t nr)
{
    return bpf_decide_first(p, nr, UINT64_MAX);
}

#endif
