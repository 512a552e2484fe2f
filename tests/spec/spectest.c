#include "spectest.h"

#include "base/err.h"

static enum eng_trap_code print_nothing(struct eng_call *call, union eng_value *args)
{
    return ENG_TRAP_NONE;
}

static int create_functions(struct eng_store *s, struct spectest *t, unsigned *n)
{
    static const struct {
        const char *name, *params;
    } functions[] = {
        { "print", "" }, { "print_i32", "\x7f" }, { "print_i64", "\x7e" }, { "print_f32", "\x7d" },
        { "print_f64", "\x7c" }, { "print_i32_f32", "\x7f\x7d" }, { "print_f64_f64", "\x7c\x7c" },
    };
    for (unsigned i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        struct eng_functype type = { .params = (const uint8_t *)functions[i].params,
                                     .param_count = (uint32_t)strlen(functions[i].params) };
        struct eng_extern *x = &t->exports[*n].value;
        x->kind = ENG_EXTERN_FUNC;
        int err = eng_hostfunc_create(s, &type, print_nothing, NULL, &x->of.func);
        if (err < 0)
            return err;
        t->exports[(*n)++].name = functions[i].name;
    }
    return 0;
}

static int create_globals(struct eng_store *s, struct spectest *t, unsigned *n)
{
    const struct {
        const char *name;
        uint8_t type;
        union eng_value value;
    } globals[] = {
        { "global_i32", ENG_I32, { .bits = 666 } }, { "global_i64", ENG_I64, { .bits = 666 } },
        { "global_f32", ENG_F32, { .f32 = 666.6f } }, { "global_f64", ENG_F64, { .f64 = 666.6 } },
    };
    for (unsigned i = 0; i < sizeof globals / sizeof globals[0]; i++) {
        struct eng_extern *x = &t->exports[*n].value;
        x->kind = ENG_EXTERN_GLOBAL;
        int err = eng_global_create(s, globals[i].type, false, &globals[i].value, &x->of.global);
        if (err < 0)
            return err;
        t->exports[(*n)++].name = globals[i].name;
    }
    return 0;
}

int spectest_create(struct eng_store *s, struct spectest *ret)
{
    unsigned n = 0;
    int err = create_functions(s, ret, &n);
    if (err < 0 || (err = create_globals(s, ret, &n)) < 0)
        return err;
    struct eng_limits elements = { 10, 20, true }, pages = { 1, 2, true };
    ret->exports[n].name = "table";
    ret->exports[n].value.kind = ENG_EXTERN_TABLE;
    err = eng_table_create(s, ENG_FUNCREF, elements, &ret->exports[n++].value.of.table);
    if (err < 0)
        return err;
    ret->exports[n].name = "memory";
    ret->exports[n].value.kind = ENG_EXTERN_MEMORY;
    return eng_memory_create(s, pages, &ret->exports[n++].value.of.memory);
}

int spectest_find(const struct spectest *t, struct span name, struct eng_extern *ret)
{
    for (unsigned i = 0; i < SPECTEST_EXPORTS; i++) {
        if (!span_eq_cstr(name, t->exports[i].name))
            continue;
        *ret = t->exports[i].value;
        return 0;
    }
    return E_NOENT;
}
