/* Dijkstra's shunting yard: operators wait on a stack until one that binds no tighter comes.
 * Both stacks have a stated depth, so that no input, however deep, uses up anything. */
#include "expr.h"

#include "number.h"

enum { DEPTH = 64 };

enum op {
    OP_OPEN, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD, OP_MINUS, OP_POW,
    OP_SQRT, OP_ABS, OP_FLOOR, OP_CEIL, OP_ROUND,
};

struct yard {
    const char *text;
    struct expr_error *err;
    double values[DEPTH];
    struct {
        uint8_t op;
        uint16_t at;
    } ops[DEPTH];
    uint32_t value_count, op_count;
};

static double last_answer;

static bool fail(struct yard *y, size_t at, const char *what)
{
    *y->err = (struct expr_error){ at, what };
    return false;
}

/* How tightly an operator binds. -2^2 is -4, as in writing. */
static int binding(uint8_t op)
{
    static const uint8_t of[] = { 0, 1, 1, 2, 2, 2, 3, 4, 5, 5, 5, 5, 5 };
    return of[op];
}

static bool is_unary(uint8_t op)
{
    return op == OP_MINUS || op >= OP_SQRT;
}

static bool push_value(struct yard *y, size_t at, double v)
{
    if (y->value_count == DEPTH)
        return fail(y, at, "the expression is nested too deeply");
    y->values[y->value_count++] = v;
    return true;
}

static bool push_op(struct yard *y, size_t at, uint8_t op)
{
    if (y->op_count == DEPTH)
        return fail(y, at, "the expression is nested too deeply");
    y->ops[y->op_count].op = op;
    y->ops[y->op_count++].at = (uint16_t)at;
    return true;
}

static double unary(uint8_t op, double v)
{
    switch (op) {
    case OP_SQRT: return __builtin_sqrt(v);
    case OP_ABS: return __builtin_fabs(v);
    case OP_FLOOR: return __builtin_floor(v);
    case OP_CEIL: return __builtin_ceil(v);
    case OP_ROUND: return __builtin_trunc(v + __builtin_copysign(0.5, v));
    default: return -v;
    }
}

/* a^b for whole b, by squaring. */
static bool power(struct yard *y, size_t at, double a, double b, double *ret)
{
    if (b != __builtin_trunc(b) || __builtin_fabs(b) > 1000000)
        return fail(y, at, "an exponent must be a whole number, at most a million");
    double r = 1, square = a;
    for (uint32_t n = (uint32_t)__builtin_fabs(b); n; n /= 2, square *= square)
        if (n % 2)
            r *= square;
    *ret = b < 0 ? 1 / r : r;
    return true;
}

static bool binary(struct yard *y, size_t at, uint8_t op, double a, double b, double *ret)
{
    if ((op == OP_DIV || op == OP_MOD) && b == 0)
        return fail(y, at, "division by zero");
    switch (op) {
    case OP_ADD: *ret = a + b; break;
    case OP_SUB: *ret = a - b; break;
    case OP_MUL: *ret = a * b; break;
    case OP_DIV: *ret = a / b; break;
    case OP_MOD: *ret = __builtin_fmod(a, b); break;
    default: return power(y, at, a, b, ret);
    }
    return true;
}

/* Applies the operator on top of the stack. There are values enough: operators are pushed
 * only where the grammar allows them. */
static bool apply(struct yard *y)
{
    uint8_t op = y->ops[--y->op_count].op;
    size_t at = y->ops[y->op_count].at;
    double *top = &y->values[y->value_count - 1];
    if (is_unary(op)) {
        if (op == OP_SQRT && *top < 0)
            return fail(y, at, "square root of a negative number");
        *top = unary(op, *top);
        return true;
    }
    y->value_count--;
    return binary(y, at, op, top[-1], top[0], &top[-1]);
}

/* A name where a value is expected: a constant (*is_value) or a function. */
static bool name(struct yard *y, const char **s, bool *is_value)
{
    static const struct {
        char text[6];
        uint8_t op; /* OP_OPEN: a constant */
        double value;
    } names[] = {
        { "sqrt", OP_SQRT, 0 },  { "abs", OP_ABS, 0 },
        { "floor", OP_FLOOR, 0 }, { "ceil", OP_CEIL, 0 },
        { "round", OP_ROUND, 0 }, { "pi", OP_OPEN, 3.14159265358979323846 },
        { "e", OP_OPEN, 2.71828182845904523536 }, { "ans", OP_OPEN, 0 },
    };
    size_t at = (size_t)(*s - y->text), len = 0;
    while (((*s)[len] | 32) >= 'a' && ((*s)[len] | 32) <= 'z')
        len++;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (len != strlen(names[i].text) || strncmp(*s, names[i].text, len) != 0)
            continue;
        *s += len;
        *is_value = names[i].op == OP_OPEN;
        if (!*is_value)
            return push_op(y, at, names[i].op);
        return push_value(y, at, names[i].text[0] == 'a' ? last_answer : names[i].value);
    }
    return fail(y, at, len ? "no such name (there are sqrt abs floor ceil round pi e ans)"
                           : "a number was expected");
}

/* What may begin a value. *is_value: the value is complete. */
static bool operand(struct yard *y, const char **s, bool *is_value)
{
    size_t at = (size_t)(*s - y->text);
    double v;
    *is_value = false;
    switch (**s) {
    case '(': ++*s; return push_op(y, at, OP_OPEN);
    case '-': ++*s; return push_op(y, at, OP_MINUS);
    case '+': ++*s; return true;
    default: break;
    }
    if (!number_read(s, &v))
        return name(y, s, is_value);
    *is_value = true;
    return push_value(y, at, v);
}

static bool close(struct yard *y, size_t at)
{
    while (y->op_count && y->ops[y->op_count - 1].op != OP_OPEN)
        if (!apply(y))
            return false;
    if (!y->op_count)
        return fail(y, at, "')' without '('");
    y->op_count--;
    return true;
}

/* What may follow a value. *is_value: another such thing may follow. */
static bool operator(struct yard *y, const char **s, bool *is_value)
{
    static const char signs[] = "+-*/%^";
    static const uint8_t ops[] = { OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD, OP_POW };
    size_t at = (size_t)(*s - y->text);
    *is_value = **s == ')';
    if (*is_value) {
        ++*s;
        return close(y, at);
    }
    const char *sign = **s ? strchr(signs, **s) : NULL;
    if (!sign)
        return fail(y, at, "an operator was expected");
    ++*s;
    uint8_t op = ops[sign - signs];
    int mine = binding(op) + (op == OP_POW); /* ^ groups to the right */
    while (y->op_count && binding(y->ops[y->op_count - 1].op) >= mine)
        if (!apply(y))
            return false;
    return push_op(y, at, op);
}

bool expr_eval(const char *text, double *ret, struct expr_error *err)
{
    struct yard y = { .text = text, .err = err };
    const char *s = text;
    bool after_value = false;
    for (;;) {
        while (*s == ' ' || *s == '\t')
            s++;
        if (!*s)
            break;
        if (!(after_value ? operator(&y, &s, &after_value) : operand(&y, &s, &after_value)))
            return false;
    }
    if (!after_value)
        return fail(&y, (size_t)(s - text), "the expression ends too soon");
    while (y.op_count) {
        if (y.ops[y.op_count - 1].op == OP_OPEN)
            return fail(&y, y.ops[y.op_count - 1].at, "'(' is never closed");
        if (!apply(&y))
            return false;
    }
    *ret = last_answer = y.values[0];
    return true;
}
