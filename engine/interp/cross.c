#include "interp/machine.h"

const uint64_t *interp_cross(struct eng_store *st, const struct eng_func *f, uint64_t *fp,
                             uint64_t *args, const uint64_t *ret)
{
    const struct code_header *h = (const struct code_header *)(f->code - 1);
    uint64_t *bridge = args + type_room(f->type);
    uint64_t *frame = bridge + BRIDGE_WORDS;
    if (frame + h->frame_slots > st->stack_end)
        return NULL;
    bridge[BRIDGE_PC] = (uintptr_t)ret;
    bridge[BRIDGE_FP] = (uintptr_t)fp;
    bridge[BRIDGE_INST] = (uintptr_t)st->inst;
    bridge[BRIDGE_DEST] = (uintptr_t)args;
    bridge[BRIDGE_RESULTS] = f->type->result_slots;
    interp_move(frame, args, h->params);
    memset(frame + h->params, 0, (size_t)(h->link - h->params) * sizeof *frame);
    frame[h->link] = (uintptr_t)st->cross_code;
    frame[h->link + 1] = (uintptr_t)bridge;
    st->fp = frame;
    st->inst = f->inst;
    return f->code;
}

const uint64_t *interp_cross_tail(struct eng_store *st, const struct eng_func *f, uint64_t *fp,
                                  const uint64_t *args, const uint64_t *link)
{
    const struct code_header *h = (const struct code_header *)(f->code - 1);
    uint64_t ret = link[0], back = link[1];
    size_t extra = type_room(f->type) + BRIDGE_WORDS;
    /* Nothing is moved unless all fits: a trap shows the frame as it was. */
    if (fp + extra + h->frame_slots > st->stack_end)
        return NULL;
    interp_move(fp, args, h->params);
    if (ret != (uintptr_t)st->cross_code)
        return interp_cross(st, f, (uint64_t *)(uintptr_t)back, fp,
                            (const uint64_t *)(uintptr_t)ret);
    /* Under this frame is a bridge already, and it leads to the same place. So the stack does
     * not grow when two instances go on calling one another like this. */
    memset(fp + h->params, 0, (size_t)(h->link - h->params) * sizeof *fp);
    fp[h->link] = ret;
    fp[h->link + 1] = back;
    st->fp = fp;
    st->inst = f->inst;
    return f->code;
}
