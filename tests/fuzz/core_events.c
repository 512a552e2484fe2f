/* libFuzzer target: bytes become events, and after each of them every invariant of the core
 * must hold. Whatever a host could report, in any order, with any content.
 *
 * The input is a list of records: type, app, flags, length, then that many bytes of text.
 * Three manifests and a boot.toml stand at fixed numbers, so that the fuzzer reaches lives
 * and messages without having to invent TOML. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "core/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const texts[] = {
    "[[app]]\nname = \"a\"\nrestart = \"always\"\n[[app]]\nname = \"b\"\nafter = [\"a\"]\n",
    "[app]\nname = \"a\"\nversion = \"1\"\nwasm = \"a.wasm\"\n[capabilities]\nstdio = true\n"
    "shell = true\nfilesystem = true\n",
    "[app]\nname = \"b\"\nversion = \"1\"\nwasm = \"b.wasm\"\nwatchdog_secs = 1\n[capabilities]\n"
    "stdio = true\n[capabilities.network]\nconnect = [\"h:1\"]\n[limits]\nmessages_per_sec = 3\n",
    "@b: hello\n@reply: x\n@broadcast: y\n", "@supervisor: ps\n@supervisor: logf b\n",
    "@supervisor: console raw\n@supervisor: verify\n",
};

static core_app ids[8]; /* the newest, so that events can mean them */
static uint32_t ids_count;
static volatile uint8_t touched;

static void remember(const struct core_actions *actions)
{
    for (uint32_t i = 0; i < actions->count; i++) {
        const struct core_action *a = &actions->list[i];
        uint8_t touch = 0;
        for (size_t k = 0; k < a->bytes.len; k += 64)
            touch ^= a->bytes.p[k];
        touched = touch; /* so that the bytes are really read: they must be there */
        if (a->type == CORE_ACT_LOAD)
            ids[ids_count++ % 8] = a->app;
    }
}

static void make_event(struct core_event *ev, const uint8_t head[8], struct span text)
{
    ev->type = (enum core_event_type)(head[0] % (CORE_EV_DENIED + 1));
    ev->app = ids[head[1] % 8];
    ev->error = head[2] & 1 ? -(int)(head[2] % 14) : 0;
    ev->stream = head[2] & 2 ? CORE_STDERR : CORE_STDOUT;
    ev->stop = (enum core_stop)(head[2] % 3);
    ev->count = head[3];
    ev->count2 = head[4];
    ev->denied = (enum core_denied)(head[4] % 7);
    ev->pid = head[3];
    ev->exit.kind = (enum core_exit_kind)(head[3] % 4);
    ev->exit.value = head[4];
    ev->hash[0] = head[4] & 1;
    ev->text = head[2] & 4 ? span_of_cstr(texts[head[4] % base_countof(texts)]) : text;
    ev->name = ev->text.len && head[2] & 8 ? span_take(text, 1) : text;
    ev->detail = text;
    ev->request = (struct core_request){ .type = (enum core_request_type)(head[3] % 5),
                                         .id = head[5],
                                         .op = (enum core_path_op)(head[4] % 12),
                                         .port = head[4] % 4,
                                         .timeout_ms = (int32_t)head[5] * 10 - 10,
                                         .path = head[2] & 16 ? SPAN_LIT("b") : text,
                                         .data = text };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct core_limits limits = { .apps = 4, .line_bytes = 256, .stdin_bytes = 4096,
                                               .msg_queue_bytes = 2048, .log_bytes = 1024 };
    static struct core_actions actions;
    static void *memory;
    size_t bytes = core_size(&limits);
    memory = calloc(1, bytes);
    struct core *c = core_init(memory, &limits);
    struct core_event ev = { .type = CORE_EV_BOOT, .text = span_of_cstr(texts[0]), .count = size ? data[size - 1] % 3 : CORE_BOOT_MACHINE };
    uint64_t now = 0;
    ids_count = 0;
    memset(ids, 0, sizeof ids);
    core_step(c, &ev, &actions);
    remember(&actions);
    while (size >= 8) {
        const uint8_t *head = data;
        size_t len = head[7] < size - 8 ? head[7] : size - 8;
        struct core_event next = { 0 };
        make_event(&next, head, span_of(data + 8, len));
        now += head[6] & 128 ? 1000u * head[6] : head[6];
        next.now_ms = now;
        next.unix_ms = now * 7;
        core_step(c, &next, &actions);
        base_assert(core_check(c) == NULL);
        remember(&actions);
        data += 8 + len;
        size -= 8 + len;
    }
    free(memory);
    return 0;
}
