/* The smallest test harness that says what it must: TAP on stdout
 * (https://testanything.org), one line a case. A test program is
 *
 *     TEST(name) { CHECK(2 + 2 == 4); }
 *     TEST_MAIN(RUN(name))
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_failures, test_count, test_case_failures;

#define TEST(name) static void test_##name(void)

#define CHECK(cond) test_check((cond) ? 1 : 0, #cond, __FILE__, __LINE__)
#define CHECK_INT(a, b) test_check_int((long long)(a), (long long)(b), #a " == " #b, __FILE__, __LINE__)
#define CHECK_STR(a, b) test_check_str((a), (b), #a, __FILE__, __LINE__)

static inline void test_check(int ok, const char *what, const char *file, int line)
{
    if (ok)
        return;
    test_case_failures++;
    printf("# %s:%d: failed: %s\n", file, line, what);
}

static inline void test_check_int(long long a, long long b, const char *what, const char *file,
                                  int line)
{
    if (a == b)
        return;
    test_case_failures++;
    printf("# %s:%d: failed: %s: %lld, %lld\n", file, line, what, a, b);
}

static inline void test_check_str(const char *a, const char *b, const char *what,
                                  const char *file, int line)
{
    if (a && b && strcmp(a, b) == 0)
        return;
    test_case_failures++;
    printf("# %s:%d: failed: %s is \"%s\", expected \"%s\"\n", file, line, what, a ? a : "(null)",
           b ? b : "(null)");
}

static inline void test_run(const char *name, void (*fn)(void))
{
    test_case_failures = 0;
    fn();
    test_count++;
    if (test_case_failures)
        test_failures++;
    printf("%sok %d - %s\n", test_case_failures ? "not " : "", test_count, name);
    fflush(stdout);
}

#define RUN(name) test_run(#name, test_##name);
#define TEST_MAIN(...)                                                                            \
    int main(void)                                                                                \
    {                                                                                             \
        __VA_ARGS__                                                                               \
        printf("1..%d\n", test_count);                                                            \
        return test_failures ? 1 : 0;                                                             \
    }

#endif
