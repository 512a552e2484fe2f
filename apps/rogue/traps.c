/* Every way to die. None of these returns. */
#include "rogue.h"

static void unreachable(const char *name, uint64_t argument)
{
    __builtin_trap();
}

/* What the compiler must not see through. */
static volatile int32_t zero, minus_one = -1, hundred = 100, least = INT32_MIN;
static volatile double not_a_number, huge = 1e300;
static volatile uint32_t beyond = 0xfffff000u;
static volatile int32_t sink;

static void divide_by_zero(const char *name, uint64_t argument)
{
    sink = hundred / zero;
}

static void divide_overflow(const char *name, uint64_t argument)
{
    sink = least / minus_one;
}

static void convert_nan(const char *name, uint64_t argument)
{
    sink = __builtin_wasm_trunc_s_i32_f64(not_a_number / not_a_number);
}

static void convert_huge(const char *name, uint64_t argument)
{
    sink = __builtin_wasm_trunc_s_i32_f64(huge);
}

static void read_beyond(const char *name, uint64_t argument)
{
    sink = *(volatile int32_t *)beyond;
}

static void write_beyond(const char *name, uint64_t argument)
{
    *(volatile int32_t *)beyond = 1;
}

static void fill_beyond(const char *name, uint64_t argument)
{
    memset((void *)beyond, 1, 65536);
}

static void call_beyond(const char *name, uint64_t argument)
{
    ((void (*)(void))beyond)();
}

static void call_null(const char *name, uint64_t argument)
{
    ((void (*)(void))zero)();
}

static double other_type(double a, double b)
{
    return a + b;
}

/* Read through a volatile, so that the compiler does not know whom it calls. */
static double (*volatile function)(double, double) = other_type;

static void call_wrong_type(const char *name, uint64_t argument)
{
    sink = ((int32_t (*)(int32_t))function)(1);
}

static uint32_t deeper(uint32_t n)
{
    return zero ? 0 : deeper(n + 1) + (uint32_t)sink;
}

/* Of the engine: frames, not memory. */
static void recurse(const char *name, uint64_t argument)
{
    sink = (int32_t)deeper(0);
}

static void leave(const char *name, uint64_t code)
{
    __wasi_proc_exit((uint32_t)code);
}

const struct attempt trap_attempts[] = {
    { "trap-unreachable", unreachable, 0, false },
    { "trap-divide-by-zero", divide_by_zero, 0, false },
    { "trap-divide-overflow", divide_overflow, 0, false },
    { "trap-convert-nan", convert_nan, 0, false },
    { "trap-convert-huge", convert_huge, 0, false },
    { "trap-read-beyond", read_beyond, 0, false },
    { "trap-write-beyond", write_beyond, 0, false },
    { "trap-fill-beyond", fill_beyond, 0, false },
    { "trap-call-beyond", call_beyond, 0, false },
    { "trap-call-null", call_null, 0, false },
    { "trap-call-wrong-type", call_wrong_type, 0, false },
    { "trap-recursion", recurse, 0, false },
    { "exit", leave, 7, false },
    { NULL, NULL, 0, false },
};
