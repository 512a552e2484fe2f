#include "value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

/* Number literals are shorter than this, also with their underscores. */
enum { LITERAL_MAX = 128 };

struct float_format {
    uint64_t sign, exponent, quiet; /* masks; quiet is the top bit of the fraction */
};
static const struct float_format f32_format = { 0x80000000u, 0x7f800000u, 0x400000u };
static const struct float_format f64_format = { UINT64_C(1) << 63, UINT64_C(0x7ff) << 52,
                                                UINT64_C(1) << 51 };

/* A literal without underscores. */
static bool plain_text(struct span literal, char out[LITERAL_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < literal.len; i++) {
        if (n == LITERAL_MAX - 1)
            return false;
        if (literal.p[i] != '_')
            out[n++] = (char)literal.p[i];
    }
    out[n] = '\0';
    return n > 0;
}

static int parse_int(struct span literal, unsigned bits, uint64_t *ret)
{
    char text[LITERAL_MAX], *end;
    if (!plain_text(literal, text))
        return E_MALFORMED;
    bool negative = *text == '-';
    uint64_t v = strtoull(text + (negative || *text == '+'), &end, 0);
    if (*end)
        return E_MALFORMED;
    v = negative ? 0 - v : v;
    *ret = bits == 32 ? (uint32_t)v : v;
    return 0;
}

/* nan, nan:0x1234, -nan: their bits. */
static int parse_nan(const char *text, const struct float_format *f, uint64_t *ret)
{
    uint64_t sign = *text == '-' ? f->sign : 0, payload = f->quiet;
    text += *text == '-' || *text == '+';
    if (strncmp(text, "nan", 3) != 0)
        return E_MALFORMED;
    if (text[3]) {
        char *end;
        if (strncmp(text + 3, ":0x", 3) != 0)
            return E_MALFORMED;
        payload = strtoull(text + 6, &end, 16);
        if (*end)
            return E_MALFORMED;
    }
    *ret = sign | f->exponent | payload;
    return 0;
}

static int parse_float(struct span literal, bool is64, union eng_value *ret)
{
    char text[LITERAL_MAX], *end;
    union eng_value v = { 0 };
    if (!plain_text(literal, text))
        return E_MALFORMED;
    if (strstr(text, "nan")) {
        if (parse_nan(text, is64 ? &f64_format : &f32_format, &v.bits) < 0)
            return E_MALFORMED;
    } else {
        if (is64)
            v.f64 = strtod(text, &end);
        else
            v.f32 = strtof(text, &end);
        if (*end)
            return E_MALFORMED;
    }
    *ret = v;
    return 0;
}

/* How (v128.const SHAPE ...) divides the bytes. */
struct shape {
    const char *name;
    unsigned lanes;
    const struct float_format *format; /* NULL: integers */
};
static const struct shape shapes[] = {
    { "i8x16", 16, NULL },        { "i16x8", 8, NULL },         { "i32x4", 4, NULL },
    { "i64x2", 2, NULL },         { "f32x4", 4, &f32_format },  { "f64x2", 2, &f64_format },
};

/* NULL when n is no vector. */
static const struct shape *find_shape(const struct node *n)
{
    const struct node *name = node_child(n, 1);
    if (!node_has_head(n, "v128.const") || !name)
        return NULL;
    for (unsigned i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (node_is(name, shapes[i].name))
            return &shapes[i];
    return NULL;
}

static int parse_lane(const struct shape *shape, const struct node *lane, uint64_t *ret)
{
    union eng_value v;
    unsigned bits = 128 / shape->lanes;
    if (!lane || lane->kind != NODE_ATOM)
        return E_MALFORMED;
    int err = shape->format ? parse_float(lane->text, bits == 64, &v)
                            : parse_int(lane->text, 64, &v.bits);
    *ret = bits == 64 ? v.bits : v.bits & ((UINT64_C(1) << bits) - 1);
    return err;
}

static uint64_t get_lane(const union eng_value *v, const struct shape *shape, unsigned i)
{
    unsigned bits = 128 / shape->lanes, at = i * bits;
    uint64_t word = v[at / 64].bits >> at % 64;
    return bits == 64 ? word : word & ((UINT64_C(1) << bits) - 1);
}

static int parse_vector(const struct node *n, union eng_value *ret)
{
    const struct shape *shape = find_shape(n);
    if (!shape)
        return E_MALFORMED;
    const struct node *lane = node_child(n, 2);
    ret[0].bits = ret[1].bits = 0;
    for (unsigned i = 0; i < shape->lanes; i++, lane = lane->next) {
        uint64_t bits;
        unsigned at = i * (128 / shape->lanes);
        if (parse_lane(shape, lane, &bits) < 0)
            return E_MALFORMED;
        ret[at / 64].bits |= bits << at % 64;
    }
    return lane ? E_MALFORMED : 0;
}

static int parse_ref(const struct node *n, union eng_value *ret, uint8_t *ret_type)
{
    const struct node *arg = node_child(n, 1);
    *ret = (union eng_value){ 0 };
    if (node_has_head(n, "ref.null") && (node_is(arg, "func") || node_is(arg, "extern"))) {
        *ret_type = node_is(arg, "func") ? ENG_FUNCREF : ENG_EXTERNREF;
        return 0;
    }
    uint64_t number;
    if (!node_has_head(n, "ref.extern") || !arg || parse_int(arg->text, 32, &number) < 0)
        return E_MALFORMED;
    *ret_type = ENG_EXTERNREF;
    ret->ref = (void *)(uintptr_t)(number + 1); /* 0 is the null reference */
    return 0;
}

int value_parse(const struct node *n, union eng_value *ret, uint8_t *ret_type)
{
    static const struct {
        const char *head;
        uint8_t type;
    } numbers[] = { { "i32.const", ENG_I32 }, { "i64.const", ENG_I64 },
                    { "f32.const", ENG_F32 }, { "f64.const", ENG_F64 } };
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (!node_has_head(n, numbers[i].head))
            continue;
        const struct node *arg = node_child(n, 1);
        if (!arg || arg->kind != NODE_ATOM)
            return E_MALFORMED;
        uint8_t type = *ret_type = numbers[i].type;
        *ret = (union eng_value){ 0 };
        if (type == ENG_I32 || type == ENG_I64)
            return parse_int(arg->text, type == ENG_I32 ? 32 : 64, &ret->bits);
        return parse_float(arg->text, type == ENG_F64, ret);
    }
    if (node_has_head(n, "v128.const")) {
        *ret_type = ENG_V128;
        return parse_vector(n, ret);
    }
    return parse_ref(n, ret, ret_type);
}

/* The specification leaves sign and, of an arithmetic NaN, payload open. This engine does
 * not: what arithmetic gives is the positive canonical one. */
static bool matches_nan(uint64_t bits, const struct float_format *f, bool any_sign)
{
    return (any_sign ? bits & (f->sign - 1) : bits) == (f->exponent | f->quiet);
}

static bool matches_ref(const struct node *n, union eng_value v, uint8_t type)
{
    const struct node *arg = node_child(n, 1);
    if (node_has_head(n, "ref.null") && !arg)
        return !v.ref && (type == ENG_FUNCREF || type == ENG_EXTERNREF);
    if (node_has_head(n, "ref.func") && !arg)
        return v.ref && type == ENG_FUNCREF;
    if (node_has_head(n, "ref.extern") && !arg)
        return v.ref && type == ENG_EXTERNREF;
    union eng_value expected;
    uint8_t expected_type;
    return parse_ref(n, &expected, &expected_type) == 0 && expected_type == type &&
           expected.ref == v.ref;
}

static bool is_nan_pattern(const struct node *n)
{
    return node_is(n, "nan:canonical") || node_is(n, "nan:arithmetic");
}

static bool matches_vector(const struct node *n, const union eng_value *v, bool any_sign)
{
    const struct shape *shape = find_shape(n);
    const struct node *lane = node_child(n, 2);
    for (unsigned i = 0; shape && i < shape->lanes; i++, lane = lane->next) {
        uint64_t want, got = get_lane(v, shape, i);
        bool pattern = shape->format && lane && is_nan_pattern(lane);
        if (pattern ? !matches_nan(got, shape->format, any_sign)
                    : parse_lane(shape, lane, &want) < 0 || want != got)
            return false;
    }
    return shape && !lane;
}

static bool matches_one(const struct node *n, const union eng_value *value, uint8_t type,
                        bool any_sign)
{
    const struct node *arg = node_child(n, 1);
    union eng_value v = *value;
    if (type == ENG_V128)
        return matches_vector(n, value, any_sign);
    bool is_f32 = node_has_head(n, "f32.const"), is_f64 = node_has_head(n, "f64.const");
    if (arg && is_nan_pattern(arg))
        return (is_f32 && type == ENG_F32 && matches_nan(v.bits, &f32_format, any_sign)) ||
               (is_f64 && type == ENG_F64 && matches_nan(v.bits, &f64_format, any_sign));
    if (type == ENG_FUNCREF || type == ENG_EXTERNREF)
        return matches_ref(n, v, type);
    union eng_value expected[VALUE_SLOTS_MAX];
    uint8_t expected_type;
    return value_parse(n, expected, &expected_type) == 0 && expected_type == type &&
           expected[0].bits == v.bits; /* unused high bits have to be zero */
}

bool value_matches(const struct node *n, const union eng_value *v, uint8_t type, bool any_sign)
{
    if (!node_has_head(n, "either"))
        return matches_one(n, v, type, any_sign);
    for (const struct node *choice = node_child(n, 1); choice; choice = choice->next) {
        if (matches_one(choice, v, type, any_sign))
            return true;
    }
    return false;
}

void value_print(char *out, size_t size, const union eng_value *value, uint8_t type)
{
    union eng_value v = *value;
    switch (type) {
    case ENG_I32: snprintf(out, size, "i32 0x%" PRIx64, v.bits); break;
    case ENG_I64: snprintf(out, size, "i64 0x%" PRIx64, v.bits); break;
    case ENG_F32: snprintf(out, size, "f32 %a (0x%" PRIx64 ")", (double)v.f32, v.bits); break;
    case ENG_F64: snprintf(out, size, "f64 %a (0x%" PRIx64 ")", v.f64, v.bits); break;
    case ENG_V128:
        snprintf(out, size, "v128 0x%016" PRIx64 "%016" PRIx64, value[1].bits, v.bits);
        break;
    case ENG_FUNCREF: snprintf(out, size, "funcref %p", v.ref); break;
    case ENG_EXTERNREF: snprintf(out, size, "externref %p", v.ref); break;
    default: snprintf(out, size, "type 0x%02x", type); break;
    }
}
