/* Threads without a libc: they run the engine, which needs none, on a stack and nothing else. They
 * share the thread-local storage of the process's own thread, so what they call must not care
 * for it (errno is whoever's failed last; nobody reads it here). */
#define _GNU_SOURCE
#include "hosts/linux/worker/helpers.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hosts/linux/code.h"

enum { STACK = 256 * 1024, STACK_GUARD = 4096 };

static struct {
    int go[2], done[2]; /* pipes: a byte for each helper that is to work, and that has */
    unsigned count;
    uint8_t *stacks[CODE_THREADS_MAX];
    _Atomic uint32_t alive[CODE_THREADS_MAX]; /* the kernel clears it when that one is gone */

    /* The jobs at hand. */
    eng_job job;
    void *arg;
    uint32_t jobs;
    _Atomic uint32_t next;
} h;

static void take_jobs(void)
{
    for (uint32_t i; (i = atomic_fetch_add(&h.next, 1)) < h.jobs;)
        h.job(h.arg, i);
}

#ifdef __x86_64__
/* By hand, as a libc's would use its thread's storage. */
static long pipe_call(long nr, int fd, char *byte)
{
    long r;
    __asm__ volatile("syscall"
                     : "=a"(r)
                     : "a"(nr), "D"((long)fd), "S"(byte), "d"(1L)
                     : "rcx", "r11", "memory");
    return r;
}

static void help(void)
{
    char byte;
    while (pipe_call(SYS_read, h.go[0], &byte) == 1) {
        take_jobs();
        pipe_call(SYS_write, h.done[1], &byte);
    }
}

/* A thread that runs help() and ends. The kernel's answer: its id or -errno. */
static long make_thread(uint8_t *stack_end, _Atomic uint32_t *alive)
{
    long r;
    register void *child_tid __asm__("r10") = alive;
    register void (*entry)(void) __asm__("r12") = help;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "call *%%r12\n\t"
                     "mov %[exit], %%eax\n\t"
                     "xor %%edi, %%edi\n\t"
                     "syscall\n\t"
                     "ud2\n"
                     "1:"
                     : "=a"(r)
                     : "a"((long)SYS_clone), "D"((long)CODE_THREAD_FLAGS), "S"(stack_end), "d"(0L),
                       "r"(child_tid), "r"(entry), [exit] "i"(SYS_exit)
                     : "rcx", "r11", "memory");
    return r;
}
#else
static long make_thread(uint8_t *stack_end, _Atomic uint32_t *alive)
{
    return -1; /* nothing is compiled on this processor */
}
#endif

static bool start_one(unsigned i)
{
    uint8_t *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        return false;
    h.stacks[i] = stack;
    h.alive[i] = 1;
    if (mprotect(stack, STACK_GUARD, PROT_NONE) == 0 &&
        make_thread(stack + STACK, &h.alive[i]) > 0)
        return true;
    munmap(stack, STACK);
    return false;
}

static unsigned processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > CODE_THREADS_MAX ? (unsigned)CODE_THREADS_MAX : (unsigned)n;
}

static void close_pipe(int p[2])
{
    close(p[0]);
    close(p[1]);
}

unsigned helpers_start(void)
{
    sigset_t all, before;
    unsigned wanted = processors() - 1;
    if (!wanted || pipe2(h.go, O_CLOEXEC) < 0)
        return 0;
    if (pipe2(h.done, O_CLOEXEC) < 0) {
        close_pipe(h.go);
        return 0;
    }
    sigfillset(&all); /* signals are the process's own thread's */
    sigprocmask(SIG_SETMASK, &all, &before);
    while (h.count < wanted && start_one(h.count))
        h.count++;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (!h.count) {
        close_pipe(h.go);
        close_pipe(h.done);
    }
    return h.count;
}

void helpers_run(uint32_t count, eng_job job, void *arg)
{
    static const char bytes[CODE_THREADS_MAX];
    char byte;
    h.job = job;
    h.arg = arg;
    h.jobs = count;
    h.next = 0;
    unsigned asked = h.count < count - 1 ? h.count : count - 1;
    ssize_t n = write(h.go[1], bytes, asked);
    take_jobs();
    /* Whoever was asked must have answered before the jobs are others. An interruption, SIGTERM, only
     * makes us ask again. */
    while (n > 0)
        n -= read(h.done[0], &byte, 1) == 1;
}

void helpers_end(void)
{
    if (!h.count)
        return;
    close(h.go[1]);
    for (unsigned i = 0; i < h.count; i++) {
        while (h.alive[i])
            sched_yield();
        munmap(h.stacks[i], STACK);
    }
    close(h.go[0]);
    close_pipe(h.done);
    h.count = 0;
}
