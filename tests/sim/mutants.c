/* Deliberate damage to what the core says, one kind a mutant, to see that the model would
 * notice a core that behaves so. The core itself is the shipped one. */
#include "sim.h"

#include "formats/manifest.h"

static uint8_t text[CORE_STDIN_BYTES_MAX]; /* damaged copies live for the step */
static struct manifest manifest;
static struct core_grants grants;

static struct core_action *find(struct world *w, enum core_action_type type)
{
    for (uint32_t i = 0; i < w->actions->count; i++)
        if (w->actions->list[i].type == type)
            return &w->actions->list[i];
    return NULL;
}

static bool remove_action(struct world *w, struct core_action *act)
{
    size_t after = (size_t)(w->actions->list + w->actions->count - act) - 1;
    memmove(act, act + 1, after * sizeof *act);
    w->actions->count--;
    return true;
}

static bool duplicate(struct world *w, struct core_action *act)
{
    w->actions->list[w->actions->count++] = *act;
    return true;
}

/* The first DELIVER that starts with a whole message, copied so that it can be changed; NULL
 * when there is none. *len: of its first line with the newline. */
static struct core_action *first_message(struct world *w, size_t *len)
{
    for (uint32_t i = 0; i < w->actions->count; i++) {
        struct core_action *act = &w->actions->list[i];
        struct span b = act->bytes;
        struct sapp *a = app_by_id(w, act->app);
        if (act->type != CORE_ACT_DELIVER || !a || a->line_len || !b.len || b.p[0] != '@')
            continue;
        *len = span_find(b, '\n') + 1;
        if (*len > b.len || *len < 20)
            continue;
        memcpy(text, b.p, b.len);
        act->bytes.p = text;
        return act;
    }
    return NULL;
}

static bool drop_message(struct world *w)
{
    static const char other[] = "VYOMA_SYSTEM:nothing";
    size_t len;
    if (!first_message(w, &len) || len <= sizeof other)
        return false;
    memset(text, '.', len - 1);
    memcpy(text, other, sizeof other - 1);
    return true;
}

static bool forge_sender(struct world *w)
{
    size_t len;
    if (!first_message(w, &len) || text[2] != ':')
        return false;
    text[1] = text[1] == 'c' ? 'f' : 'c'; /* two apps with a name of one letter */
    return true;
}

static bool repeat_message(struct world *w)
{
    size_t len;
    struct core_action *act = first_message(w, &len);
    if (!act || act->bytes.len < 2 * len || text[2 * len - 1] != '\n')
        return false;
    memcpy(text + len, text, len);
    return true;
}

static bool swap_messages(struct world *w)
{
    size_t len;
    struct core_action *act = first_message(w, &len);
    uint8_t line[512];
    if (!act || len > sizeof line || act->bytes.len < 2 * len || text[2 * len - 1] != '\n' ||
        memcmp(text, text + len, 3) != 0)
        return false;
    memcpy(line, text, len);
    memmove(text, text + len, len);
    memcpy(text + len, line, len);
    return true;
}

static bool send_plain_text(struct world *w)
{
    size_t len;
    if (!first_message(w, &len))
        return false;
    text[0] = 'p';
    return true;
}

static bool skip_audit(struct world *w, const char *event)
{
    for (uint32_t i = 0; i < w->actions->count; i++) {
        struct core_action *act = &w->actions->list[i];
        char line[CORE_AUDIT_BYTES_MAX + 1];
        if (act->type != CORE_ACT_AUDIT)
            continue;
        snprintf(line, sizeof line, "%.*s", (int)act->bytes.len, (const char *)act->bytes.p);
        if (strstr(line, event))
            return remove_action(w, act);
    }
    return false;
}

static bool skip_record(struct world *w) { return skip_audit(w, ""); }

/* With the chain left unchecked: do the counts show it too? */
static bool skip_denial(struct world *w)
{
    w->chain_unchecked = true;
    return skip_audit(w, "\"cap_deny\"");
}
static bool skip_send(struct world *w)
{
    w->chain_unchecked = true;
    return skip_audit(w, "\"ipc_send\"");
}
static bool skip_file(struct world *w)
{
    w->chain_unchecked = true;
    return skip_audit(w, "\"file_open\"");
}

static bool drop(struct world *w, enum core_action_type type)
{
    struct core_action *act = find(w, type);
    return act && remove_action(w, act);
}

static bool drop_resume(struct world *w) { return drop(w, CORE_ACT_RESUME); }
static bool drop_kill(struct world *w) { return w->stopping && drop(w, CORE_ACT_KILL); }
static bool drop_restart(struct world *w)
{
    struct core_action *act = find(w, CORE_ACT_LOAD);
    int i = act ? app_index(w, act->name) : -1;
    return i >= 0 && w->apps[i].due_back_ms && remove_action(w, act);
}

static bool grant_denied(struct world *w)
{
    struct core_action *act = find(w, CORE_ACT_REPLY);
    if (!act || act->error != E_DENIED)
        return false;
    act->error = 0;
    return true;
}

static bool answer_twice(struct world *w)
{
    struct core_action *act = find(w, CORE_ACT_REPLY);
    return act && duplicate(w, act);
}

static bool power_twice(struct world *w)
{
    struct core_action *act = find(w, CORE_ACT_POWER);
    return act && duplicate(w, act);
}

static bool old_life(struct world *w)
{
    struct core_action *act = find(w, CORE_ACT_DELIVER);
    if (!act)
        return false;
    act->app -= 0x10000;
    return true;
}

static bool grant_more(struct world *w)
{
    struct core_action *act = find(w, CORE_ACT_SPAWN);
    if (!act || manifest_has(act->grants->manifest, MANIFEST_CAP_ADC))
        return false;
    manifest = *act->grants->manifest;
    grants = *act->grants;
    manifest.caps |= 1u << MANIFEST_CAP_ADC;
    grants.manifest = &manifest;
    act->grants = &grants;
    return true;
}

static bool drive_terminal(struct world *w)
{
    struct core_action *act = find(w, CORE_ACT_CONSOLE);
    if (!act)
        return false;
    act->bytes = SPAN_LIT("\x1b[2J");
    return true;
}

static const struct {
    const char *name;
    bool (*apply)(struct world *w);
} mutants[] = {
    { "a message is dropped", drop_message },
    { "a sender is forged", forge_sender },
    { "a message comes twice", repeat_message },
    { "two messages change places", swap_messages },
    { "an app's text comes unframed", send_plain_text },
    { "an audit record is skipped", skip_record },
    { "a denial is not recorded", skip_denial },
    { "a message is not recorded", skip_send },
    { "an opened file is not recorded", skip_file },
    { "a sender stays paused", drop_resume },
    { "an app survives the shutdown", drop_kill },
    { "a crashed app does not come back", drop_restart },
    { "a denied request is granted", grant_denied },
    { "a request is answered twice", answer_twice },
    { "the power goes off twice", power_twice },
    { "an action for an old life", old_life },
    { "a capability that was not declared", grant_more },
    { "an escape sequence at the console", drive_terminal },
};

const char *mutant_name(int mutant)
{
    return mutant >= 1 && (size_t)mutant <= sizeof mutants / sizeof mutants[0]
               ? mutants[mutant - 1].name
               : NULL;
}

void mutant_apply(struct world *w)
{
    if (rng_one_in(&w->mutation, 8))
        w->corruption_count += mutants[w->corruption - 1].apply(w);
}
