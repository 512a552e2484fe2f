/* The quick way through the instructions that are most of any body, for modules that are
 * validated only (their code is made by a compiler): straight lines of locals, numbers, arithmetic
 * and accesses to memory whose operands are all there. Whatever is unusual, and every error, is
 * left to the general way, at the instruction's start. */
#include "runtime/native.h"
#include "validate/func.h"

/* What an instruction takes and gives; in 0: not for this way. */
static void set_row(struct compiler *c, unsigned opcode, unsigned count, uint8_t in, uint8_t out)
{
    if (!native_watches((uint8_t)opcode))
        c->quick[opcode] = (struct quick_row){ (uint8_t)count, in, out, native_canonical((uint8_t)opcode) };
}

void quick_begin(struct compiler *c)
{
    enum { FIRST_LOAD = 0x28, FIRST_STORE = 0x36, LAST_STORE = 0x3e };
    memset(c->quick, 0, sizeof c->quick);
    for (unsigned i = 0; i < 256; i++) {
        uint8_t in, out;
        unsigned count = numeric_signature(i, &in, &out);
        if (count)
            set_row(c, i, count, in, out);
    }
    for (unsigned i = FIRST_LOAD; i <= LAST_STORE && c->m->memory_count; i++)
        set_row(c, i, i < FIRST_STORE ? 1 : 2, ENG_I32, access_of(i)->type);
}

/* The operands that the block has of its own. */
static inline uint32_t available(const struct compiler *c)
{
    return c->value_count - c->labels[c->label_count - 1].height;
}

static inline void set_value(struct compiler *c, uint32_t i, uint8_t type)
{
    c->values[i] = (struct value){ type, V_SLOT, 0, 0 };
}

static inline bool push_quick(struct compiler *c, uint8_t type)
{
    if (c->value_count == c->value_capacity || c->base + c->value_count >= ENG_MAX_FRAME_SLOTS)
        return false;
    set_value(c, c->value_count++, type);
    if (c->value_count > c->max_height)
        c->max_height = c->value_count;
    return true;
}

/* local.get, local.set, local.tee of one of the first 128. */
static inline bool quick_local(struct compiler *c, const uint8_t *p, const uint8_t *end)
{
    if (p + 1 >= end || p[1] >= c->local_count || p[1] >= 0x80)
        return false;
    uint8_t type = c->local_types[p[1]];
    if (*p == 0x20) {
        if (!push_quick(c, type))
            return false;
    } else {
        if (!available(c) || c->values[c->value_count - 1].type != type)
            return false;
        c->value_count -= *p == 0x21;
    }
    native_scan_local(c->scan, p[1], *p != 0x20);
    return true;
}

static inline bool quick_numeric(struct compiler *c, const struct quick_row *row)
{
    uint32_t n = c->value_count;
    if (available(c) < row->count || c->values[n - 1].type != row->in ||
        c->values[n - row->count].type != row->in)
        return false;
    c->value_count = n - row->count + 1;
    set_value(c, c->value_count - 1, row->out);
    return true;
}

/* r is behind the opcode. */
static inline bool quick_access(struct compiler *c, const struct quick_row *row, uint8_t opcode,
                                struct reader *r)
{
    uint32_t n = c->value_count;
    /* An offset of five bytes may have too many bits. */
    if (available(c) < row->count || reader_left(r) < 5 || *r->p > access_of(opcode)->align ||
        (r->p[1] & r->p[2] & r->p[3] & r->p[4] & 0x80) ||
        c->values[n - row->count].type != ENG_I32)
        return false;
    if (row->count == 2 && c->values[n - 1].type != row->out)
        return false;
    r->p++;
    reader_u32(r);
    if (row->count == 2)
        c->value_count = n - 2;
    else
        set_value(c, n - 1, row->out);
    return true;
}

/* One instruction at r->p; false and nothing changed when it is not for this way. A number
 * that cannot be read leaves r failed. */
static inline bool quick_one(struct compiler *c, struct reader *r)
{
    const uint8_t *p = r->p;
    uint8_t opcode = *p;
    const struct quick_row *row = &c->quick[opcode];
    if (opcode >= 0x20 && opcode <= 0x22) {
        if (!quick_local(c, p, r->end))
            return false;
        r->p += 2;
    } else if (opcode >= 0x45 && row->count) {
        if (!quick_numeric(c, row))
            return false;
        c->scan->canonical = row->canonical;
        r->p++;
    } else if (opcode == 0x41) {
        if (!push_quick(c, ENG_I32))
            return false;
        c->scan->canonical = 0;
        r->p++;
        reader_s32(r);
    } else if (row->count) {
        r->p++;
        if (!quick_access(c, row, opcode, r)) {
            r->p = p;
            return false;
        }
        c->scan->canonical = 0;
    } else {
        return false;
    }
    return true;
}

void quick_run(struct compiler *c)
{
    struct reader *r = &c->l->r;
    while (r->p < r->end && quick_one(c, r))
        ;
}
