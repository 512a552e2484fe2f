/* Random manifests and boot files, and what they mean. */
#include "sim.h"

#include "formats/boot.h"
#include "formats/manifest.h"

uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->s += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
    return n ? (uint32_t)(rng_next(r) % n) : 0;
}

bool rng_one_in(struct rng *r, uint32_t n)
{
    return rng_below(r, n) == 0;
}

int app_index(const struct world *w, struct span name)
{
    for (int i = 0; i < SIM_APPS; i++)
        if (span_eq_cstr(name, w->apps[i].name))
            return i;
    return -1;
}

static void add(struct sapp *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct sapp *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(a->toml + a->toml_len, sizeof a->toml - a->toml_len, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < sizeof a->toml - a->toml_len)
        a->toml_len += (size_t)n;
}

static void random_plan(struct world *w, struct plan *p, int self)
{
    struct rng *r = &w->rng;
    memset(p, 0, sizeof *p);
    p->valid = true;
    if (!rng_one_in(r, 12))
        p->caps |= 1u << MANIFEST_CAP_STDIO;
    if (rng_one_in(r, 2))
        p->caps |= 1u << MANIFEST_CAP_FILESYSTEM;
    if (self == 0 || rng_one_in(r, 8))
        p->caps |= 1u << MANIFEST_CAP_SHELL;
    if (rng_one_in(r, 8))
        p->caps |= 1u << MANIFEST_CAP_STATUS;
    if (rng_one_in(r, 3)) {
        p->caps |= 1u << MANIFEST_CAP_NETWORK;
        p->port = (uint16_t)(1 + rng_below(r, 65535));
        if (rng_one_in(r, 2))
            p->connect_port = (uint16_t)(1 + rng_below(r, 65535));
    }
    p->lines = !rng_one_in(r, 10);
    p->send_any = rng_one_in(r, 3);
    p->send = p->send_any ? 0 : (uint32_t)rng_next(r) & ((1u << SIM_APPS) - 1);
    p->send_listed = p->send != 0;
    p->hears = rng_one_in(r, 2);
    if (p->send_any || p->send || p->hears)
        p->caps |= 1u << MANIFEST_CAP_IPC;
    p->watchdog_secs = rng_one_in(r, 4) ? 1 + rng_below(r, 20) : 0;
    p->rate = rng_one_in(r, 6) ? 1 + rng_below(r, 50) : 0;
    p->memory_kib = rng_one_in(r, 3) ? 64 * (1 + rng_below(r, 32)) : 0;
}

static void write_send(const struct world *w, struct sapp *a, const struct plan *p)
{
    const char *comma = "";
    add(a, "[capabilities.ipc]\nsend = [");
    if (p->send_any)
        add(a, "\"*\"");
    for (int i = 0; i < SIM_APPS; i++) {
        if (p->send_any || !(p->send >> i & 1))
            continue;
        add(a, "%s\"%s\"", comma, w->apps[i].name);
        comma = ", ";
    }
    add(a, "]\naccept_broadcast = %s\n", p->hears ? "true" : "false");
}

static void write_manifest(struct world *w, struct sapp *a, const struct plan *p)
{
    a->toml_len = 0;
    add(a, "[app]\nname = \"%s\"\nversion = \"1\"\nwasm = \"a.wasm\"\nmanifest_version = 1\n",
        a->name);
    add(a, "lines = %s\n", p->lines ? "true" : "false");
    if (p->watchdog_secs)
        add(a, "watchdog_secs = %u\n", p->watchdog_secs);
    add(a, "[capabilities]\n");
    for (unsigned i = 0; i < MANIFEST_CAP_IPC; i++)
        if (p->caps >> i & 1 && i != MANIFEST_CAP_NETWORK)
            add(a, "%s = true\n", manifest_cap_name((enum manifest_cap)i));
    if (p->caps >> MANIFEST_CAP_NETWORK & 1) {
        add(a, "[capabilities.network]\nports = [%u]\n", p->port);
        if (p->connect_port)
            add(a, "connect = [\"host.example:%u\"]\n", p->connect_port);
    }
    if (p->caps >> MANIFEST_CAP_IPC & 1)
        write_send(w, a, p);
    if (p->rate || p->memory_kib)
        add(a, "[limits]\n");
    if (p->rate)
        add(a, "messages_per_sec = %u\n", p->rate);
    if (p->memory_kib)
        add(a, "memory = \"%uKiB\"\n", p->memory_kib);
}

/* What the bytes mean now, says the parser; the model cannot know. */
static void read_back(struct world *w, struct sapp *a, struct plan *p)
{
    static uint8_t scratch_memory[MANIFEST_SCRATCH_BYTES], keep_memory[MANIFEST_KEEP_BYTES];
    struct arena scratch, keep;
    struct manifest m;
    struct format_error err;
    arena_init(&scratch, scratch_memory, sizeof scratch_memory);
    arena_init(&keep, keep_memory, sizeof keep_memory);
    uint8_t restart = p->restart;
    memset(p, 0, sizeof *p);
    p->restart = restart;
    if (manifest_parse(span_of(a->toml, a->toml_len), &scratch, &keep, &m, &err) < 0)
        return;
    p->valid = span_eq_cstr(m.name, a->name);
    p->caps = m.caps;
    p->lines = m.lines;
    p->send_any = m.ipc.send_any;
    p->hears = m.ipc.accept_broadcast;
    p->send_listed = m.ipc.send_count != 0;
    for (uint32_t i = 0; i < m.ipc.send_count; i++) {
        int to = app_index(w, m.ipc.send[i]);
        if (to >= 0)
            p->send |= 1u << to;
    }
    p->port = m.network.ports_count ? m.network.ports[0] : 0;
    p->connect_port = m.network.connect_count ? m.network.connect[0].port : 0;
    if (m.network.connect_count && !span_eq_cstr(m.network.connect[0].host, "host.example"))
        p->connect_port = 0;
    p->watchdog_secs = m.watchdog_secs;
    p->rate = m.limits.messages_per_sec;
    p->memory_kib = (uint32_t)(m.limits.memory_bytes / 1024);
}

void plan_make(struct world *w, struct sapp *a)
{
    random_plan(w, &a->next_plan, (int)(a - w->apps));
    write_manifest(w, a, &a->next_plan);
}

void plan_corrupt(struct world *w, struct sapp *a)
{
    for (uint32_t n = 1 + rng_below(&w->rng, 3); n; n--)
        a->toml[rng_below(&w->rng, (uint32_t)a->toml_len)] = (char)rng_next(&w->rng);
    if (rng_one_in(&w->rng, 4))
        a->toml_len = rng_below(&w->rng, (uint32_t)a->toml_len);
    read_back(w, a, &a->next_plan);
    w->n_bad_manifests++;
}

void plan_boot(struct world *w)
{
    static const char *const restarts[] = { "never", "on-failure", "always" };
    size_t n = 0;
    struct rng *r = &w->rng;
#define ADD(...) n += (size_t)snprintf(w->boot + n, sizeof w->boot - n, __VA_ARGS__)
    for (int i = 0; i < SIM_APPS - 3; i++) {
        w->boot_restart[i] = (uint8_t)rng_below(r, 3);
        w->boot_max[i] = (uint8_t)(1 + rng_below(r, 6));
        w->boot_window[i] = (uint8_t)(1 + rng_below(r, 60));
        ADD("[[app]]\nname = \"%s\"\nrestart = \"%s\"\nmax_restarts = %u\nwindow_secs = %u\n",
            w->apps[i].name, restarts[w->boot_restart[i]], w->boot_max[i], w->boot_window[i]);
        if (i && rng_one_in(r, 3))
            ADD("after = [\"%s\"]\n", w->apps[rng_below(r, (uint32_t)i)].name);
        if (rng_one_in(r, 8))
            ADD("start = false\n");
    }
#undef ADD
    w->boot_good = true;
    if (!rng_one_in(r, 20))
        return;
    w->boot[rng_below(r, (uint32_t)n)] = (char)(1 + rng_below(r, 255));
    static uint8_t memory[2][1 << 19];
    struct arena scratch, keep;
    struct boot boot;
    struct format_error err;
    arena_init(&scratch, memory[0], sizeof memory[0]);
    arena_init(&keep, memory[1], sizeof memory[1]);
    w->boot_good =
        boot_parse(span_of_cstr(w->boot), &scratch, &keep, &boot, &err) == E_OK;
    for (int i = 0; i < SIM_APPS; i++) /* what it means now is not known: expect nothing */
        w->boot_restart[i] = 0;
}
