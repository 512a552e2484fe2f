/* A core under glass: feed events, read the actions as text. For tests of core/.
 *
 * The lab plays a host that works: LOAD is answered from the manifests it was given, SPAWN
 * with pids from 100 on, DELIVER takes everything (unless the app is marked deaf). What the
 * actions were is in lab.text, one line an action; audit records show their fields without
 * ts, seq and prev; TIMER is left out. */
#ifndef TESTS_LAB_H
#define TESTS_LAB_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "lib/test.h"

enum { LAB_APPS = 16, LAB_TEXT = 1 << 20 };

struct lab_app {
    char name[40];
    const char *manifest;
    uint8_t hash;      /* first byte of the module's */
    core_app id;       /* 0: not alive */
    bool deaf;         /* never reads its stdin */
    bool load_fails, spawn_fails;
    bool slow;         /* the test itself answers LOAD, SPAWN and VERIFY */
    bool paused;
    char got[LAB_TEXT]; /* stdin so far, NUL-terminated */
    size_t got_len;
};

struct lab {
    struct core *core;
    void *memory;
    struct core_actions actions;
    struct lab_app apps[LAB_APPS];
    uint64_t now_ms;
    uint64_t timer_ms;
    int32_t next_pid;
    bool powered;
    enum core_stop stop;
    int32_t code;
    int audits, pauses, resumes;
    char text[LAB_TEXT];
    size_t len;
};

static inline void lab_print(struct lab *lab, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(lab->text + lab->len, sizeof lab->text - lab->len, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < sizeof lab->text - lab->len)
        lab->len += (size_t)n;
}

static inline void lab_quote(struct lab *lab, struct span s)
{
    lab_print(lab, "\"");
    for (size_t i = 0; i < s.len && i < 300; i++) {
        uint8_t ch = s.p[i];
        if (ch == '\n')
            lab_print(lab, "\\n");
        else if (ch == '\r')
            lab_print(lab, "\\r");
        else if (ch < 0x20 || ch == 0x7f)
            lab_print(lab, "\\x%02x", ch);
        else
            lab_print(lab, "%c", ch);
    }
    lab_print(lab, s.len > 300 ? "...\"" : "\"");
}

static inline struct lab_app *lab_app(struct lab *lab, const char *name)
{
    for (int i = 0; i < LAB_APPS; i++)
        if (strcmp(lab->apps[i].name, name) == 0)
            return &lab->apps[i];
    printf("# no app %s in the lab\n", name);
    abort();
}

static inline struct lab_app *lab_by_id(struct lab *lab, core_app id)
{
    for (int i = 0; i < LAB_APPS; i++)
        if (id && lab->apps[i].id == id)
            return &lab->apps[i];
    return NULL;
}

static inline void lab_event(struct lab *lab, struct core_event ev);

static inline void lab_load(struct lab *lab, const struct core_action *a)
{
    char name[40];
    snprintf(name, sizeof name, "%.*s", (int)a->name.len, (const char *)a->name.p);
    struct core_event ev = { .type = CORE_EV_LOADED, .app = a->app, .error = E_NOENT,
                             .text = SPAN_LIT("no such app") };
    for (int i = 0; i < LAB_APPS; i++) {
        struct lab_app *app = &lab->apps[i];
        if (strcmp(app->name, name) != 0)
            continue;
        app->id = a->app;
        if (app->slow)
            return;
        if (app->load_fails)
            continue;
        ev.error = 0;
        ev.text = span_of_cstr(app->manifest);
        ev.hash[0] = app->hash;
    }
    lab_event(lab, ev);
}

/* The answers that come at once. */
static inline void lab_answer(struct lab *lab, const struct core_action *a)
{
    struct lab_app *app = lab_by_id(lab, a->app);
    if (a->type == CORE_ACT_LOAD)
        lab_load(lab, a);
    if (!app)
        return;
    if (a->type == CORE_ACT_SPAWN && !app->slow) {
        struct core_event ev = { .type = CORE_EV_SPAWNED, .app = a->app, .pid = lab->next_pid++ };
        if (app->spawn_fails) {
            ev.error = E_IO;
            ev.text = SPAN_LIT("clone failed");
        }
        lab_event(lab, ev);
    } else if (a->type == CORE_ACT_DELIVER && !app->deaf) {
        memcpy(app->got + app->got_len, a->bytes.p, a->bytes.len);
        app->got_len += a->bytes.len;
        app->got[app->got_len] = 0;
        lab_event(lab, (struct core_event){ .type = CORE_EV_DELIVERED, .app = a->app,
                                            .count = a->bytes.len });
    } else if (a->type == CORE_ACT_UNLOAD) {
        app->id = 0;
    } else if (a->type == CORE_ACT_VERIFY && !app->slow) {
        struct core_event ev = { .type = CORE_EV_VERIFIED, .app = a->app };
        ev.hash[0] = app->hash;
        lab_event(lab, ev);
    }
}

static inline void lab_audit(struct lab *lab, struct span line)
{
    char copy[CORE_AUDIT_BYTES_MAX + 1];
    snprintf(copy, sizeof copy, "%.*s", (int)line.len, (const char *)line.p);
    const char *from = strstr(copy, "\"event\":");
    char *prev = strstr(copy, ",\"prev\":");
    char *hash = strstr(copy, ",\"sha256\":");
    if (prev)
        *prev = 0;
    if (hash)
        *hash = 0;
    lab->audits++;
    lab_print(lab, "AUDIT %s\n", from ? from : copy);
}

static inline void lab_show(struct lab *lab, const struct core_action *a)
{
    static const char *const names[] = {
        "LOAD", "SPAWN", "UNLOAD", "DELIVER", "CLOSE_STDIN", "PAUSE", "RESUME", "REPLY",
        "ASK_STOP", "KILL", "CONSOLE", "CONSOLE_ERR", "AUDIT", "VERIFY", "TIMER", "POWER" };
    struct lab_app *app = lab_by_id(lab, a->app);
    if (a->type == CORE_ACT_AUDIT) {
        lab_audit(lab, a->bytes);
        return;
    }
    lab_print(lab, "%s", names[a->type]);
    if (a->type == CORE_ACT_LOAD)
        lab_print(lab, " %.*s", (int)a->name.len, (const char *)a->name.p);
    else if (app)
        lab_print(lab, " %s", app->name);
    if (a->type == CORE_ACT_REPLY) {
        lab_print(lab, " %u %d", a->request_id, a->error);
        if (a->name.len)
            lab_print(lab, " from %.*s", (int)a->name.len, (const char *)a->name.p);
    }
    if (a->bytes.len) {
        lab_print(lab, " ");
        lab_quote(lab, a->bytes);
    }
    if (a->type == CORE_ACT_POWER)
        lab_print(lab, " %d %d", (int)a->stop, (int)a->code);
    lab_print(lab, "\n");
}

/* Gives the event, notes the actions, then answers them. */
static inline void lab_event(struct lab *lab, struct core_event ev)
{
    ev.now_ms = lab->now_ms;
    ev.unix_ms = 1700000000000 + lab->now_ms;
    core_step(lab->core, &ev, &lab->actions);
    CHECK_STR(core_check(lab->core) ? core_check(lab->core) : "", "");
    uint32_t n = lab->actions.count;
    struct core_action *list = malloc((n + 1) * sizeof *list);
    size_t used = 0, most = 1;
    for (uint32_t i = 0; i < n; i++)
        most += lab->actions.list[i].bytes.len + lab->actions.list[i].name.len;
    uint8_t *texts = malloc(most);
    for (uint32_t i = 0; i < n; i++) {
        list[i] = lab->actions.list[i];
        const struct core_action *a = &list[i];
        if (a->type == CORE_ACT_TIMER)
            lab->timer_ms = a->at_ms;
        else
            lab_show(lab, a);
        if (a->type == CORE_ACT_PAUSE || a->type == CORE_ACT_RESUME) {
            struct lab_app *app = lab_by_id(lab, a->app);
            if (app)
                app->paused = a->type == CORE_ACT_PAUSE;
            lab->pauses += a->type == CORE_ACT_PAUSE;
            lab->resumes += a->type == CORE_ACT_RESUME;
        }
        if (a->type == CORE_ACT_POWER) {
            lab->powered = true;
            lab->stop = a->stop;
            lab->code = a->code;
        }
        if (a->type == CORE_ACT_DELIVER || a->type == CORE_ACT_LOAD) {
            struct span *s = a->type == CORE_ACT_LOAD ? &list[i].name : &list[i].bytes;
            memcpy(texts + used, s->p, s->len);
            s->p = texts + used;
            used += s->len;
        }
    }
    for (uint32_t i = 0; i < n; i++)
        lab_answer(lab, &list[i]);
    free(list);
    free(texts);
}

static inline struct lab *lab_new(const struct core_limits *limits)
{
    struct core_limits few = { .apps = LAB_APPS };
    struct lab *lab = calloc(1, sizeof *lab);
    lab->memory = calloc(1, core_size(limits ? limits : &few));
    lab->core = core_init(lab->memory, limits ? limits : &few);
    lab->now_ms = 1000;
    lab->next_pid = 100;
    return lab;
}

static inline void lab_free(struct lab *lab)
{
    free(lab->memory);
    free(lab);
}

static inline struct lab_app *lab_add(struct lab *lab, const char *name, const char *manifest)
{
    for (int i = 0; i < LAB_APPS; i++) {
        struct lab_app *app = &lab->apps[i];
        if (app->name[0])
            continue;
        snprintf(app->name, sizeof app->name, "%s", name);
        app->manifest = manifest;
        app->hash = 1;
        return app;
    }
    abort();
}

static inline void lab_boot(struct lab *lab, const char *boot_toml, bool owns_machine)
{
    lab_event(lab, (struct core_event){ .type = CORE_EV_BOOT, .text = span_of_cstr(boot_toml),
                                        .count = owns_machine });
}

/* Un-booted, on a terminal whose lines core edits. */
static inline void lab_boot_console(struct lab *lab)
{
    lab_event(lab, (struct core_event){ .type = CORE_EV_BOOT, .count = CORE_BOOT_CONSOLE });
    lab_event(lab, (struct core_event){ .type = CORE_EV_CONSOLE_SIZE, .count = 80, .count2 = 24 });
}

static inline void lab_start(struct lab *lab, const char *name, bool foreground)
{
    lab_event(lab, (struct core_event){ .type = CORE_EV_START, .name = span_of_cstr(name),
                                        .count = foreground });
}

static inline void lab_output(struct lab *lab, const char *app, const char *text)
{
    lab_event(lab, (struct core_event){ .type = CORE_EV_OUTPUT, .app = lab_app(lab, app)->id,
                                        .stream = CORE_STDOUT, .text = span_of_cstr(text) });
}

/* Of any bytes, NUL too. */
static inline void lab_write(struct lab *lab, const char *app, enum core_stream stream,
                             struct span bytes)
{
    lab_event(lab, (struct core_event){ .type = CORE_EV_OUTPUT, .app = lab_app(lab, app)->id,
                                        .stream = stream, .text = bytes });
}

/* A deaf app reads again, from what it was offered last. */
static inline void lab_hear(struct lab *lab, const char *app)
{
    lab_app(lab, app)->deaf = false;
    lab_event(lab, (struct core_event){ .type = CORE_EV_DELIVERED, .app = lab_app(lab, app)->id });
}

static inline void lab_request(struct lab *lab, const char *app, struct core_request request)
{
    lab_event(lab, (struct core_event){ .type = CORE_EV_REQUEST, .app = lab_app(lab, app)->id,
                                        .request = request });
}

static inline void lab_exit(struct lab *lab, const char *app, enum core_exit_kind kind,
                            int32_t value)
{
    struct core_event ev = { .type = CORE_EV_EXITED, .app = lab_app(lab, app)->id };
    ev.exit.kind = kind;
    ev.exit.value = value;
    lab_event(lab, ev);
}

static inline void lab_type(struct lab *lab, const char *keys)
{
    lab_event(lab, (struct core_event){ .type = CORE_EV_CONSOLE, .text = span_of_cstr(keys) });
}

/* Time passes; the timer goes off whenever it comes due. */
static inline void lab_pass(struct lab *lab, uint64_t ms)
{
    uint64_t end = lab->now_ms + ms;
    for (int guard = 0; lab->timer_ms && lab->timer_ms <= end && guard < 10000; guard++) {
        if (lab->timer_ms > lab->now_ms)
            lab->now_ms = lab->timer_ms;
        lab->timer_ms = 0;
        lab_event(lab, (struct core_event){ .type = CORE_EV_TIMER });
    }
    lab->now_ms = end;
}

/* Forgets the transcript so far and the stdins. */
static inline void lab_clear(struct lab *lab)
{
    lab->len = 0;
    lab->text[0] = 0;
    for (int i = 0; i < LAB_APPS; i++) {
        lab->apps[i].got_len = 0;
        lab->apps[i].got[0] = 0;
    }
}

static inline bool lab_has(const struct lab *lab, const char *text)
{
    if (strstr(lab->text, text))
        return true;
    printf("# not in the transcript: %s\n# transcript:\n%.4000s\n", text, lab->text);
    return false;
}

static inline bool lab_lacks(const struct lab *lab, const char *text)
{
    if (!strstr(lab->text, text))
        return true;
    printf("# in the transcript: %s\n# transcript:\n%.4000s\n", text, lab->text);
    return false;
}

/* How often text stands in the transcript. */
static inline int lab_count(const struct lab *lab, const char *text)
{
    int n = 0;
    for (const char *p = lab->text; (p = strstr(p, text)) != NULL; p += strlen(text))
        n++;
    return n;
}

#endif
