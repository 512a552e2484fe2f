/* What one message costs in the core alone: no system call, no process. A ping-pong of
 * lines, one of typed messages, and the same with a thousand apps in the table. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/core.h"

static struct core_actions actions;
static uint64_t now_ms = 1;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void step(struct core *c, struct core_event ev)
{
    ev.now_ms = now_ms;
    core_step(c, &ev, &actions);
}

static core_app start(struct core *c, const char *name)
{
    char manifest[256];
    int n = snprintf(manifest, sizeof manifest,
                     "[app]\nname = \"%s\"\nversion = \"1\"\nwasm = \"a.wasm\"\n"
                     "[capabilities]\nstdio = true\n", name);
    step(c, (struct core_event){ .type = CORE_EV_START, .name = span_of_cstr(name) });
    core_app id = 0;
    for (uint32_t i = 0; i < actions.count; i++)
        if (actions.list[i].type == CORE_ACT_LOAD)
            id = actions.list[i].app;
    step(c, (struct core_event){ .type = CORE_EV_LOADED, .app = id,
                                 .text = span_of(manifest, (size_t)n) });
    step(c, (struct core_event){ .type = CORE_EV_SPAWNED, .app = id, .pid = 1 });
    return id;
}

static void line(struct core *c, core_app from, core_app to, struct span text)
{
    step(c, (struct core_event){ .type = CORE_EV_OUTPUT, .app = from, .stream = CORE_STDOUT,
                                 .text = text });
    for (uint32_t i = 0; i < actions.count; i++) {
        if (actions.list[i].type != CORE_ACT_DELIVER)
            continue;
        step(c, (struct core_event){ .type = CORE_EV_DELIVERED, .app = to,
                                     .count = actions.list[i].bytes.len });
        return;
    }
}

static void typed(struct core *c, core_app from, core_app to, uint32_t id)
{
    static const char data[64];
    struct core_request recv = { .type = CORE_REQ_MSG_RECV, .id = id, .timeout_ms = -1 };
    struct core_request send = { .type = CORE_REQ_MSG_SEND, .id = id, .path = SPAN_LIT("app-1"),
                                 .data = span_of(data, sizeof data) };
    step(c, (struct core_event){ .type = CORE_EV_REQUEST, .app = to, .request = recv });
    step(c, (struct core_event){ .type = CORE_EV_REQUEST, .app = from, .request = send });
}

static double lines_ns(struct core *c, core_app a, core_app b)
{
    enum { ROUNDS = 300000 };
    uint64_t begin = now_ns();
    for (int i = 0; i < ROUNDS; i++) {
        now_ms += i % 1000 == 0;
        line(c, a, b, SPAN_LIT("@app-1: a message of forty bytes, as they are\n"));
        line(c, b, a, SPAN_LIT("@app-0: a message of forty bytes, as they are\n"));
    }
    return (double)(now_ns() - begin) / (2.0 * ROUNDS);
}

static double typed_ns(struct core *c, core_app a, core_app b)
{
    enum { ROUNDS = 300000 };
    uint64_t begin = now_ns();
    for (uint32_t i = 0; i < ROUNDS; i++)
        typed(c, a, b, i);
    return (double)(now_ns() - begin) / ROUNDS;
}

int main(void)
{
    struct core_limits limits = { .apps = 1024 };
    struct core *c = core_init(calloc(1, core_size(&limits)), &limits);
    step(c, (struct core_event){ .type = CORE_EV_BOOT, .count = 1 });
    core_app a = start(c, "app-0"), b = start(c, "app-1");
    printf("# one line of 40 bytes from app to app: output event, delivery, its answer\n");
    printf("BENCH core.line %.0f ns\n", lines_ns(c, a, b));
    printf("# one typed message of 64 bytes: send and the receive that waits for it\n");
    printf("BENCH core.message %.0f ns\n", typed_ns(c, a, b));
    uint64_t begin = now_ns();
    for (int i = 2; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "app-%d", i);
        start(c, name);
    }
    printf("# load and spawn, manifest and audit record included, without the host's part\n");
    printf("BENCH core.start %.1f us\n", (double)(now_ns() - begin) / 998e3);
    printf("# the line again, with 1,000 apps running\n");
    printf("BENCH core.line.1000_apps %.0f ns\n", lines_ns(c, a, b));
    const char *broken = core_check(c);
    if (broken)
        printf("# %s\n", broken);
    return broken != NULL;
}
