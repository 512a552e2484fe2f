#define _GNU_SOURCE
#include "hosts/linux/bpf.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

#if defined(__x86_64__)
#define PROGRAM_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define PROGRAM_ARCH AUDIT_ARCH_AARCH64
#else
#error "name this processor's AUDIT_ARCH"
#endif

void bpf_emit(struct bpf_program *p, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
    base_assert(p->len < BPF_PROGRAM_MAX);
    p->code[p->len++] = (struct sock_filter){ code, jt, jf, k };
}

void bpf_load(struct bpf_program *p, size_t offset)
{
    bpf_emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

void bpf_load_argument(struct bpf_program *p, unsigned arg)
{
    bpf_load(p, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
}

void bpf_load_argument_high(struct bpf_program *p, unsigned arg)
{
    bpf_load(p, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t) + 4);
}

void bpf_return(struct bpf_program *p, uint32_t what)
{
    bpf_emit(p, BPF_RET | BPF_K, 0, 0, what);
}

void bpf_unless(struct bpf_program *p, uint32_t k, uint8_t over)
{
    bpf_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, over, k);
}

void bpf_unless_argument(struct bpf_program *p, unsigned arg, uint32_t k, uint8_t over)
{
    bpf_load_argument(p, arg);
    bpf_unless(p, k, over);
}

void bpf_begin(struct bpf_program *p)
{
    p->len = 0;
    bpf_load(p, offsetof(struct seccomp_data, arch));
    bpf_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, PROGRAM_ARCH);
    bpf_return(p, SECCOMP_RET_KILL_PROCESS);
    bpf_load(p, offsetof(struct seccomp_data, nr));
}

/* --- the decision --------------------------------------------------------------------
 *
 * Call numbers fall into runs with the same answer. A balanced tree of comparisons finds the
 * run, in seven steps or so: the kernel tries every call there is on a new filter, so a list would
 * cost each app's start a sixth of a millisecond. */

struct run {
    uint32_t from;
    uint8_t answer;
};

struct tree {
    struct bpf_program *p;
    void (*emit)(struct bpf_program *p, uint8_t answer, const void *ctx);
    const void *ctx;
};

static size_t find_runs(const uint8_t answers[BPF_CALLS_MAX], struct run runs[BPF_CALLS_MAX])
{
    size_t count = 0;
    for (uint32_t nr = 0; nr < BPF_CALLS_MAX; nr++)
        if (nr == 0 || answers[nr] != answers[nr - 1])
            runs[count++] = (struct run){ nr, answers[nr] };
    return count;
}

/* Recursion is as deep as the logarithm of the number of runs. */
static void emit_tree(const struct tree *t, const struct run *runs, size_t count)
{
    struct bpf_program *p = t->p;
    size_t half = count / 2;
    if (count == 1) {
        t->emit(p, runs[0].answer, t->ctx);
        return;
    }
    unsigned short at = p->len;
    bpf_emit(p, BPF_JMP | BPF_JGE | BPF_K, 0, 0, runs[half].from);
    emit_tree(t, runs, half);
    base_assert(p->len - at - 1 <= UINT8_MAX);
    p->code[at].jt = (uint8_t)(p->len - at - 1);
    emit_tree(t, runs + half, count - half);
}

void bpf_calls(struct bpf_program *p, const uint8_t answers[BPF_CALLS_MAX],
               void (*emit)(struct bpf_program *p, uint8_t answer, const void *ctx),
               const void *ctx)
{
    struct run runs[BPF_CALLS_MAX];
    struct tree t = { p, emit, ctx };
    emit_tree(&t, runs, find_runs(answers, runs));
}

__attribute__((no_sanitize("address", "undefined"))) int
bpf_install(const struct bpf_program *p, unsigned flags)
{
    struct sock_fprog f = { p->len, (struct sock_filter *)(uintptr_t)p->code };
    long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &f);
    return r < 0 ? -errno : (int)r;
}
