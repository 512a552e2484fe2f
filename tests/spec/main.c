/* Runs the specification's test suite and prints TAP, one case a script.
 *
 * usage: spec [--memory=guard|check] [--suite=2.0] [--only=PATTERN] [--tier=interp|baseline]
 *
 * Of an engine without SIMD, the modules of SIMD scripts are only loaded.
 *
 * Each script runs in a process of its own, so that a crash or an endless loop fails
 * one case and no more. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

/* The slowest script takes seconds with sanitizers on a busy machine. */
enum { SCRIPT_SECONDS_MAX = 300 };

struct options {
    struct suite_options suite;
    const char *memory, *version, *only, *tier;
};

static bool parse_options(int argc, char **argv, struct options *ret)
{
    *ret = (struct options){ .memory = "guard", .version = "2.0", .only = "*",
                             .tier = "interp" };
    for (int i = 1; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        if (!value++)
            return false;
        if (strncmp(argv[i], "--memory=", 9) == 0)
            ret->memory = value;
        else if (strncmp(argv[i], "--suite=", 8) == 0)
            ret->version = value;
        else if (strncmp(argv[i], "--only=", 7) == 0)
            ret->only = value;
        else if (strncmp(argv[i], "--tier=", 7) == 0)
            ret->tier = value;
        else
            return false;
    }
    ret->suite.core_2_only = strcmp(ret->version, "2.0") == 0;
    ret->suite.memory = strcmp(ret->memory, "guard") == 0 ? EMBED_GUARD : EMBED_CHECK;
    ret->suite.tier = strcmp(ret->tier, "baseline") == 0 ? ENG_TIER_BASELINE : ENG_TIER_INTERP;
    if (ret->suite.tier == ENG_TIER_INTERP && strcmp(ret->tier, "interp") != 0)
        return false;
    return ret->suite.memory == EMBED_GUARD || strcmp(ret->memory, "check") == 0;
}

static int is_script(const struct dirent *d)
{
    return fnmatch("*.bin.wast", d->d_name, 0) == 0;
}

static bool is_simd(const char *file)
{
    return strncmp(file, "simd_", 5) == 0;
}

/* In a child: a crash is told from its status, the counts come through a pipe. */
static bool run_isolated(const char *name, uint8_t *text, size_t len, const struct options *o,
                         struct suite_counts *ret)
{
    int ends[2], status;
    fflush(stdout);
    if (pipe(ends) < 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        alarm(SCRIPT_SECONDS_MAX);
        struct suite_counts counts = suite_run(name, text, len, &o->suite);
        fflush(stdout);
        free(text);
        exit(write(ends[1], &counts, sizeof counts) != sizeof counts);
    }
    close(ends[1]);
    bool whole = child > 0 && read(ends[0], ret, sizeof *ret) == (ssize_t)sizeof *ret;
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return false;
    if (whole && status == 0)
        return true;
    printf("# %s: died: %s %d\n", name, WIFSIGNALED(status) ? "signal" : "exit status",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return false;
}

struct totals {
    struct suite_counts counts;
    unsigned cases, failed_cases;
    unsigned refused, loaded; /* modules that were only loaded */
};

/* file: NAME.bin.wast, of text. */
static void run_script(const char *file, uint8_t *text, size_t len, const struct options *o,
                       struct totals *t)
{
    char name[256];
    struct suite_counts c = { 0 };
    snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - strlen(".bin.wast")), file);
    bool ok = run_isolated(name, text, len, o, &c) && c.failed == 0;
    printf("# %s: %u passed, %u failed", name, c.passed, c.failed);
    printf(c.skipped || c.unsupported ? ", %u skipped, %u modules not supported\n" : "\n", c.skipped,
           c.unsupported);
    printf("%sok %u - %s\n", ok ? "" : "not ", ++t->cases, name);
    t->failed_cases += !ok;
    t->counts.failed += c.failed;
    if (o->suite.only_load) {
        t->refused += c.refusals;
        t->loaded += c.passed;
        return;
    }
    t->counts.passed += c.passed;
    t->counts.skipped += c.skipped;
    t->counts.unsupported += c.unsupported;
    t->counts.refusals += c.refusals;
    t->counts.same_words += c.same_words;
}

static void run_file(const char *folder, const char *file, const struct options *o,
                     struct totals *t)
{
    char path[4096];
    uint8_t *text;
    size_t len;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (embed_read_file(path, &text, &len) < 0) {
        printf("not ok %u - %s can be read\n", ++t->cases, file);
        t->failed_cases++;
        return;
    }
    struct options of_file = *o;
    of_file.suite.only_load = !ENG_SIMD && is_simd(file);
    run_script(file, text, len, &of_file, t);
    free(text);
}

static void print_totals(const struct options *o, const struct totals *t)
{
    if (!ENG_SIMD)
        printf("# SIMD modules: %u refused by name, %u need no SIMD and load\n", t->refused,
               t->loaded);
    printf("# %s, memory=%s: of %u refusals %u in the suite's own words\n", o->version, o->memory,
           t->counts.refusals, t->counts.same_words);
    printf("# total: %s, memory=%s, tier=%s: %u files, %u assertions passed, %u failed, %u skipped (%u "
           "modules refused as not supported)\n", o->version, o->memory, o->tier, t->cases,
           t->counts.passed, t->counts.failed, t->counts.skipped, t->counts.unsupported);
}

int main(int argc, char **argv)
{
    struct options o;
    if (!parse_options(argc, argv, &o)) {
        fprintf(stderr, "usage: spec [--memory=guard|check] [--suite=2.0] [--only=PATTERN] "
                        "[--tier=interp|baseline]\n");
        return 64;
    }
    const char *root = getenv("SPEC_TESTS");
    char folder[2048];
    snprintf(folder, sizeof folder, "%s/%s-bin", root && *root ? root : "../shared/wasm-spec",
             o.version);
    struct dirent **files;
    int count = scandir(folder, &files, is_script, alphasort);
    struct totals t = { 0 };
    for (int i = 0; i < count; i++) {
        if (fnmatch(o.only, files[i]->d_name, 0) == 0)
            run_file(folder, files[i]->d_name, &o, &t);
        free(files[i]);
    }
    if (count >= 0)
        free(files);
    if (t.cases == 0) {
        printf("not ok 1 - specification tests found in %s (SPEC_TESTS names their folder)\n"
               "1..1\n", folder);
        return 1;
    }
    print_totals(&o, &t);
    printf("1..%u\n", t.cases);
    return t.failed_cases != 0;
}
