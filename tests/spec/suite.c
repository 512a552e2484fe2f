/* Every form of a script is a command; each command has one function below that
 * returns whether it went as the script says and reports when it did not. */
#include "suite.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "script.h"
#include "spectest.h"
#include "value.h"

/* No function of the suite has more; a call with more is reported as a failure. */
enum { VALUES_MAX = 32, NAME_MAX_BYTES = 64 };

struct named {
    struct span name; /* borrows from the script; empty when it has none */
    void *thing;
};

struct list {
    struct named *items;
    size_t count;
};

/* Stands for a module or instance that the engine does not support. */
static char unsupported;

struct suite {
    const char *name;
    unsigned line; /* of the current command */
    const struct suite_options *options;
    struct embed embed;
    struct eng_store *store;
    struct spectest spectest;
    struct list modules, instances, registered; /* newest last */
    bool skips; /* the current command needs what is not supported */
    struct suite_counts counts;
};

static bool skip(struct suite *s)
{
    s->skips = true;
    return true;
}

__attribute__((format(printf, 2, 3))) static bool complain(struct suite *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("# %s:%u: ", s->name, s->line);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    return false;
}

/* --- names ------------------------------------------------------------------- */

static void list_add(struct list *l, struct span name, void *thing)
{
    struct named *items = realloc(l->items, (l->count + 1) * sizeof *items);
    if (!items) {
        perror("spec");
        exit(1);
    }
    items[l->count++] = (struct named){ name, thing };
    l->items = items;
}

/* The newest thing called name, or the newest of all when name is NULL. */
static void *list_find(const struct list *l, const struct span *name)
{
    for (size_t i = l->count; i-- > 0;) {
        if (!name || span_eq(l->items[i].name, *name))
            return l->items[i].thing;
    }
    return NULL;
}

/* Takes a $name at *n and steps over it; NULL when there is none. */
static const struct span *take_name(const struct node **n)
{
    if (!*n || (*n)->kind != NODE_ATOM || (*n)->text.p[0] != '$')
        return NULL;
    const struct span *name = &(*n)->text;
    *n = (*n)->next;
    return name;
}

/* --- modules ------------------------------------------------------------------ */

/* n: the first string of (module ... binary "..." "..."). The bytes are handed over in
 * a block of their exact size, so that a sanitizer sees a read past them, and are
 * freed before the module is used. */
static int load_strings(struct suite *s, const struct node *n, struct eng_module **ret,
                        struct eng_error *err)
{
    size_t len = 0, at = 0;
    for (const struct node *part = n; part; part = part->next)
        len += part->text.len;
    uint8_t *bytes = malloc(len ? len : 1);
    if (!bytes)
        return err->code = E_NOMEM;
    for (; n; at += n->text.len, n = n->next)
        memcpy(bytes + at, n->text.p, n->text.len);
    *err = (struct eng_error){ 0 };
    int result = eng_module_load(&s->embed.env, span_of(bytes, len), ret, err);
    free(bytes);
    return result;
}

/* Nothing may be left to the interpreter when the compiler was asked for. */
static void check_tier(struct suite *s, const struct eng_module *m)
{
    struct eng_module_size size;
    eng_module_size(m, &size);
    if (s->options->tier == ENG_TIER_INTERP || !size.functions || size.native)
        return;
    s->counts.failed++;
    complain(s, "interpreted instead of compiled");
}

/* Loads (module [definition] [$name] binary ...), to be freed with the suite. */
static int load_module(struct suite *s, const struct node *form, struct eng_error *err)
{
    const struct node *n = node_child(form, 1);
    struct eng_module *m;
    if (node_is(n, "definition"))
        n = n->next;
    const struct span *name = take_name(&n);
    *err = (struct eng_error){ .code = E_INVAL, .message = "not a (module binary ...)" };
    if (!node_is(n, "binary"))
        return E_INVAL;
    int result = load_strings(s, n->next, &m, err);
    if (result == 0) {
        list_add(&s->modules, name ? *name : SPAN_NONE, m);
        check_tier(s, m);
    }
    return result;
}

static int resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret)
{
    struct suite *s = ctx;
    struct eng_instance *from = list_find(&s->registered, &import->module);
    if (from == (void *)&unsupported)
        return E_UNSUPPORTED;
    if (from)
        return eng_instance_export(from, import->name, ret);
    if (span_eq_cstr(import->module, "spectest"))
        return spectest_find(&s->spectest, import->name, ret);
    return E_NOENT;
}

/* Carries out (module instance [$name [$module]]) or (module [$name] binary ...). As
 * eng_instance_create. */
static int instantiate(struct suite *s, const struct node *form, struct eng_error *err,
                       struct eng_trap *trap)
{
    const struct node *n = node_child(form, 1);
    const struct span *name, *module_name = NULL;
    if (node_is(n, "instance")) {
        n = n->next;
        name = take_name(&n);
        module_name = take_name(&n);
    } else {
        name = take_name(&n);
        int result = load_module(s, form, err);
        if (result < 0)
            return result;
    }
    const struct eng_module *m = list_find(&s->modules, module_name);
    struct eng_resolver resolver = { s, resolve };
    struct eng_instance *inst;
    *err = (struct eng_error){ .code = E_NOENT, .message = "no such module definition" };
    if (!m)
        return E_NOENT;
    if (m == (void *)&unsupported)
        return E_UNSUPPORTED;
    int result = eng_instance_create(s->store, m, &resolver, &inst, err, trap);
    if (result == 0)
        list_add(&s->instances, name ? *name : SPAN_NONE, inst);
    return result;
}

static bool do_module(struct suite *s, const struct node *form)
{
    struct eng_error err;
    struct eng_trap trap;
    bool definition = node_is(node_child(form, 1), "definition");
    if (s->options->only_load && !definition)
        return true;
    int result = definition ? load_module(s, form, &err) : instantiate(s, form, &err, &trap);
    if (s->options->only_load && result == E_UNSUPPORTED) {
        s->counts.refusals++;
        return true;
    }
    if (!s->options->core_2_only && result == E_UNSUPPORTED) {
        const struct node *n = node_child(form, 1);
        if (node_is(n, "definition") || node_is(n, "instance"))
            n = n->next;
        const struct span *name = take_name(&n);
        list_add(definition ? &s->modules : &s->instances, name ? *name : SPAN_NONE, &unsupported);
        s->counts.unsupported++;
        return skip(s);
    }
    if (result > 0)
        return complain(s, "module trapped: %s", eng_trap_message(trap.code));
    if (result < 0)
        return complain(s, "module refused: %s: %s (at byte %zu)", base_err_name(result),
                        err.message, err.offset);
    s->counts.passed += s->options->only_load;
    return true;
}

static bool do_register(struct suite *s, const struct node *form)
{
    const struct node *as = node_child(form, 1), *n = as ? as->next : NULL;
    struct eng_instance *inst = list_find(&s->instances, take_name(&n));
    if (!as || as->kind != NODE_STRING || !inst)
        return complain(s, "register: no such instance");
    list_add(&s->registered, as->text, inst);
    return true;
}

/* --- actions ------------------------------------------------------------------ */

struct outcome {
    enum eng_trap_code trap;
    unsigned count;
    union eng_value values[VALUES_MAX * VALUE_SLOTS_MAX]; /* one after the other */
    uint8_t types[VALUES_MAX];
};

static bool invoke(struct suite *s, struct eng_func *f, const struct node *arg,
                   struct outcome *ret)
{
    union eng_value args[VALUES_MAX * VALUE_SLOTS_MAX], *at = args;
    struct eng_functype type;
    struct eng_trap trap;
    unsigned n = 0;
    eng_func_type(f, &type);
    for (; arg && n < VALUES_MAX; arg = arg->next, n++) {
        uint8_t arg_type;
        if (value_parse(arg, at, &arg_type) < 0)
            return complain(s, "argument %u is unreadable", n);
        if (n >= type.param_count || type.params[n] != arg_type)
            return complain(s, "argument %u has another type than the parameter", n);
        at += eng_slots(&arg_type, 1);
    }
    if (arg || n != type.param_count || type.result_count > VALUES_MAX)
        return complain(s, "%u arguments for %u parameters", n, type.param_count);
    ret->trap = ENG_TRAP_NONE;
    if (eng_call(f, args, ret->values, &trap) != 0) {
        ret->trap = trap.code;
        return true;
    }
    ret->count = type.result_count;
    memcpy(ret->types, type.results, type.result_count);
    return true;
}

/* (invoke [$instance] "name" args) or (get [$instance] "name"). */
static bool run_action(struct suite *s, const struct node *action, struct outcome *ret)
{
    const struct node *n = action ? node_child(action, 1) : NULL;
    struct eng_instance *inst = list_find(&s->instances, take_name(&n));
    struct eng_extern x;
    *ret = (struct outcome){ 0 };
    if (inst == (void *)&unsupported)
        return skip(s);
    if (!inst || !n || n->kind != NODE_STRING)
        return complain(s, "no such instance, or no action");
    if (eng_instance_export(inst, n->text, &x) < 0)
        return complain(s, "no such export: %.*s", (int)n->text.len, (const char *)n->text.p);
    if (node_has_head(action, "invoke") && x.kind == ENG_EXTERN_FUNC)
        return invoke(s, x.of.func, n->next, ret);
    if (!node_has_head(action, "get") || x.kind != ENG_EXTERN_GLOBAL)
        return complain(s, "export is of another kind");
    bool is_mutable;
    *ret = (struct outcome){ .count = 1, .types[0] = eng_global_type(x.of.global, &is_mutable) };
    eng_global_get(x.of.global, ret->values);
    return true;
}

static bool do_action(struct suite *s, const struct node *form)
{
    struct outcome out;
    if (!run_action(s, form, &out))
        return false;
    if (out.trap)
        return complain(s, "trapped: %s", eng_trap_message(out.trap));
    return true;
}

/* --- assertions ---------------------------------------------------------------- */

static bool assert_return(struct suite *s, const struct node *form)
{
    const struct node *action = node_child(form, 1);
    struct outcome out;
    unsigned n = 0;
    /* The one place where the suite writes nan:canonical for a NaN with its sign changed. */
    bool negates = node_child(action, 1) && span_eq_cstr(node_child(action, 1)->text,
                                                         "f64x2_neg_canon");
    if (!run_action(s, action, &out))
        return false;
    if (s->skips)
        return true;
    if (out.trap)
        return complain(s, "trapped: %s", eng_trap_message(out.trap));
    for (const struct node *want = action->next; want; want = want->next, n++) {
        char got[NAME_MAX_BYTES];
        if (n >= out.count)
            return complain(s, "only %u results", out.count);
        const union eng_value *value = &out.values[eng_slots(out.types, n)];
        if (value_matches(want, value, out.types[n], negates))
            continue;
        value_print(got, sizeof got, value, out.types[n]);
        const struct node *arg = node_child(want, 1);
        return complain(s, "result %u is %s, not (%.*s %.*s)", n, got,
                        (int)want->first->text.len, (const char *)want->first->text.p,
                        arg ? (int)arg->text.len : 0, arg ? (const char *)arg->text.p : "");
    }
    if (n != out.count)
        return complain(s, "%u results, not %u", out.count, n);
    return true;
}

/* One is the beginning of the other: the suite writes "uninitialized element 2" where
 * an engine may leave the number out, and engines may say more than the suite. */
static bool same_words(struct span want, const char *got)
{
    struct span words = span_of_cstr(got);
    return words.len && want.len && (span_starts(words, want) || span_starts(want, words));
}

static bool check_trap(struct suite *s, const struct node *want, enum eng_trap_code code)
{
    if (s->skips)
        return true;
    if (!want || want->kind != NODE_STRING)
        return complain(s, "no trap message to expect");
    if (!code)
        return complain(s, "did not trap: %.*s", (int)want->text.len, (const char *)want->text.p);
    if (!same_words(want->text, eng_trap_message(code)))
        return complain(s, "trapped with \"%s\", not \"%.*s\"", eng_trap_message(code),
                        (int)want->text.len, (const char *)want->text.p);
    return true;
}

static bool assert_trap(struct suite *s, const struct node *form)
{
    const struct node *subject = node_child(form, 1);
    if (!node_has_head(subject, "module")) {
        struct outcome out;
        return run_action(s, subject, &out) && check_trap(s, subject->next, out.trap);
    }
    struct eng_error err;
    struct eng_trap trap = { 0 };
    int result = instantiate(s, subject, &err, &trap);
    if (result == E_UNSUPPORTED && !s->options->core_2_only)
        return skip(s);
    if (result < 0)
        return complain(s, "module refused instead of a trap: %s", err.message);
    return check_trap(s, subject->next, result == 0 ? ENG_TRAP_NONE : trap.code);
}

static bool assert_exception(struct suite *s, const struct node *form)
{
    struct outcome out;
    if (!run_action(s, node_child(form, 1), &out) || s->skips)
        return s->skips;
    if (out.trap != ENG_TRAP_EXCEPTION)
        return complain(s, "no exception, but: %s", eng_trap_message(out.trap));
    return true;
}

static bool assert_exhaustion(struct suite *s, const struct node *form)
{
    const struct node *action = node_child(form, 1);
    struct outcome out;
    if (!run_action(s, action, &out))
        return false;
    if (out.trap && out.trap != ENG_TRAP_STACK_EXHAUSTED)
        return complain(s, "trapped: %s", eng_trap_message(out.trap));
    return check_trap(s, action->next, out.trap);
}

/* Refused with the code that belongs to the class of the assertion. The message need
 * not be the suite's, since one fault can be seen in several ways; how many
 * are is counted. */
static bool check_refusal(struct suite *s, const struct node *want, int result,
                          const struct eng_error *err, int code)
{
    if (result == E_UNSUPPORTED && !s->options->core_2_only) {
        s->counts.unsupported++;
        return skip(s);
    }
    if (result >= 0)
        return complain(s, "module accepted, %s expected", base_err_name(code));
    if (result != code || err->code != code)
        return complain(s, "refused as %s (\"%s\", at byte %zu), not %s \"%.*s\"",
                        base_err_name(result), err->message, err->offset, base_err_name(code),
                        want ? (int)want->text.len : 0, want ? (const char *)want->text.p : "");
    s->counts.refusals++;
    s->counts.same_words += want && same_words(want->text, err->message);
    return true;
}

static bool assert_malformed(struct suite *s, const struct node *form)
{
    const struct node *module = node_child(form, 1);
    struct eng_error err;
    int result = load_module(s, module, &err);
    return check_refusal(s, module->next, result, &err, E_MALFORMED);
}

static bool assert_invalid(struct suite *s, const struct node *form)
{
    const struct node *module = node_child(form, 1);
    struct eng_error err;
    int result = load_module(s, module, &err);
    return check_refusal(s, module->next, result, &err, E_INVAL);
}

static bool assert_unlinkable(struct suite *s, const struct node *form)
{
    const struct node *module = node_child(form, 1);
    struct eng_error err;
    struct eng_trap trap;
    int result = instantiate(s, module, &err, &trap);
    bool unknown = module->next && span_starts(module->next->text, SPAN_LIT("unknown import"));
    return check_refusal(s, module->next, result, &err, unknown ? E_NOENT : E_DENIED);
}

/* --- scripts -------------------------------------------------------------------- */

struct command {
    const char *head;
    bool (*run)(struct suite *s, const struct node *form);
    bool counts; /* an assertion */
};

static const struct command commands[] = {
    { "assert_return", assert_return, true },
    { "assert_trap", assert_trap, true },
    { "assert_exhaustion", assert_exhaustion, true },
    { "assert_exception", assert_exception, true },
    { "assert_malformed", assert_malformed, true },
    { "assert_invalid", assert_invalid, true },
    { "assert_unlinkable", assert_unlinkable, true },
    { "module", do_module, false },
    { "register", do_register, false },
    { "invoke", do_action, false },
    { "get", do_action, false },
};

static void run_command(struct suite *s, const struct node *form)
{
    s->line = form->line;
    s->skips = false;
    for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (!node_has_head(form, commands[i].head))
            continue;
        if (s->options->only_load && commands[i].run != do_module)
            return;
        bool fits = !commands[i].counts || (node_child(form, 1) && node_child(form, 1)->first);
        bool ok = fits ? commands[i].run(s, form) : complain(s, "not readable");
        s->counts.failed += !ok;
        s->counts.passed += ok && commands[i].counts && !s->skips;
        s->counts.skipped += ok && commands[i].counts && s->skips;
        return;
    }
    complain(s, "unknown command");
    s->counts.failed++;
}

static bool start(struct suite *s)
{
    embed_init(&s->embed, s->options->memory);
    s->embed.env.tier = s->options->tier;
    s->embed.env.core_2_only = s->options->core_2_only;
    if (eng_store_create(&s->embed.env, NULL, &s->store) < 0)
        return complain(s, "no store");
    embed_watch(s->store);
    if (spectest_create(s->store, &s->spectest) < 0)
        return complain(s, "no spectest module");
    return true;
}

static void stop(struct suite *s)
{
    embed_watch(NULL);
    eng_store_destroy(s->store);
    for (size_t i = 0; i < s->modules.count; i++)
        if (s->modules.items[i].thing != &unsupported)
            eng_module_free(s->modules.items[i].thing);
    free(s->modules.items);
    free(s->instances.items);
    free(s->registered.items);
    if (s->embed.heap_bytes || s->embed.memory_bytes) {
        s->counts.failed++;
        complain(s, "leaked %llu bytes and %llu bytes of memories",
                 (unsigned long long)s->embed.heap_bytes,
                 (unsigned long long)s->embed.memory_bytes);
    }
}

struct suite_counts suite_run(const char *name, uint8_t *text, size_t len,
                              const struct suite_options *options)
{
    struct suite s = { .name = name, .options = options };
    struct script script;
    const struct node *form;
    int more = 0;
    script_init(&script, text, len);
    if (start(&s)) {
        while ((more = script_next(&script, &form)) > 0)
            run_command(&s, form);
        if (more < 0)
            complain(&s, "line %u: %s", script.line, script.error ? script.error : "out of memory");
    } else {
        more = E_INVAL;
    }
    s.counts.failed += more < 0;
    stop(&s);
    script_finish(&script);
    return s.counts;
}
