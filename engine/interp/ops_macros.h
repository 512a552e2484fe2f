/* The words in which the operations of ops_*.inc are written.
 *
 * An operation is OP(name, { body }). A body may use the machine's registers
 * (pc, fp, mem, inst, st, budget, r0, s0, d0: see interp.h) and ends in NEXT, DISPATCH, TRAP
 * or one of the other ways on, which each dispatch_*.c defines for itself. The
 * same text thus becomes a function, a label or a case.
 *
 * Families are generated from a type t (i32 i64 f32 f64) and operand forms:
 *     S  a frame slot        A  the accumulator of its type        I  in the code
 * A result goes to slot d and the accumulator, or (suffix _A) to the latter alone. */
#ifndef ENGINE_INTERP_OPS_MACROS_H
#define ENGINE_INTERP_OPS_MACROS_H

#include "engine/config.h"

/* Which form is an OP by the letters of its operands, then of its result where there are two
 * (mode g or c first for accesses to memory). ENG_SMALL has those without an A, and checks; the
 * others are ABSENT: they keep their numbers, with which validate/ computes. */
#if ENG_SMALL
#define WITH_A ABSENT
#else
#define WITH_A OP
#endif
#define OPF_S OP
#define OPF_A WITH_A
#define OPF_SS OP
#define OPF_SI OP
#define OPF_AS WITH_A
#define OPF_SA WITH_A
#define OPF_AI WITH_A
#define OPF_AA WITH_A
#define OPF_SSS OP
#define OPF_SIS OP
#define OPF_ISS OP
#define OPF_SSA WITH_A
#define OPF_SIA WITH_A
#define OPF_ISA WITH_A
#define OPF_ASS WITH_A
#define OPF_ASA WITH_A
#define OPF_AIS WITH_A
#define OPF_AIA WITH_A
#define OPF_SAS WITH_A
#define OPF_SAA WITH_A
#define OPF_g_SS WITH_A
#define OPF_g_SI WITH_A
#define OPF_g_SA WITH_A
#define OPF_g_AS WITH_A
#define OPF_g_AI WITH_A
#define OPF_g_AA WITH_A
#define OPF_c_SS OP
#define OPF_c_SI OP
#define OPF_c_SA WITH_A
#define OPF_c_AS WITH_A
#define OPF_c_AI WITH_A
#define OPF_c_AA WITH_A

/* Operands of the instruction at pc; see README.md for the layout. */
#define A_ (((const uint16_t *)(pc + 1))[0])
#define D_ (((const uint16_t *)(pc + 1))[1])
#define B_ (((const uint16_t *)(pc + 1))[2])
#define C_ (((const uint16_t *)(pc + 1))[3])
#define IMM_ (((const int32_t *)(pc + 1))[1])

#define T_i32 uint32_t
#define T_i64 uint64_t
#define T_f32 float
#define T_f64 double

#define GET_i32_S(x) ((uint32_t)fp[x])
#define GET_i32_A(x) ((uint32_t)r0)
#define GET_i32_I(x) ((uint32_t)IMM_)
#define GET_i64_S(x) (fp[x])
#define GET_i64_A(x) (r0)
#define GET_i64_I(x) (pc[2])
#define GET_f32_S(x) (*(const float *)&fp[x])
#define GET_f32_A(x) (s0)
#define GET_f32_I(x) (*((const float *)(pc + 1) + 1))
#define GET_f64_S(x) (*(const double *)&fp[x])
#define GET_f64_A(x) (d0)
#define GET_f64_I(x) (*(const double *)(pc + 2))

#define PUT_i32_A(v) r0 = (uint32_t)(v)
#define PUT_i64_A(v) r0 = (uint64_t)(v)
#define PUT_f32_A(v) s0 = (v)
#define PUT_f64_A(v) d0 = (v)
#define PUT_i32_S(v) r0 = (uint32_t)(v); fp[D_] = r0
#define PUT_i64_S(v) r0 = (uint64_t)(v); fp[D_] = r0
#define PUT_f32_S(v) s0 = (v); *(float *)&fp[D_] = s0
#define PUT_f64_S(v) d0 = (v); *(double *)&fp[D_] = d0

/* Words of an instruction with this operand form. */
#define LEN_i32_S 2
#define LEN_i32_A 2
#define LEN_i32_I 2
#define LEN_i64_S 2
#define LEN_i64_A 2
#define LEN_i64_I 3
#define LEN_f32_S 2
#define LEN_f32_A 2
#define LEN_f32_I 2
#define LEN_f64_S 2
#define LEN_f64_A 2
#define LEN_f64_I 3

/* --- binary: two operands of type t to one of t ------------------------------ */

#define BIN1(name, t, fa, ia, fb, ib, sfx, d, PRE, EXPR)                                          \
    OPF_##fa##fb##d(name##_##fa##fb##sfx, {                                                       \
        T_##t a = GET_##t##_##fa(ia), b = GET_##t##_##fb(ib);                                     \
        PRE;                                                                                      \
        PUT_##t##_##d(EXPR);                                                                      \
        NEXT(LEN_##t##_##fa + LEN_##t##_##fb - 2);                                                \
    })
#define BIN(name, t, fa, ia, fb, ib, PRE, EXPR)                                                   \
    BIN1(name, t, fa, ia, fb, ib, , S, PRE, EXPR)                                                 \
    BIN1(name, t, fa, ia, fb, ib, _A, A, PRE, EXPR)
/* Commutative: 4 forms, the emitter swaps the rest. */
#define BIN_COMMUTING(name, t, EXPR)                                                              \
    BIN(name, t, S, A_, S, B_, , EXPR)                                                            \
    BIN(name, t, A, , S, B_, , EXPR)                                                              \
    BIN(name, t, S, A_, I, , , EXPR)                                                              \
    BIN(name, t, A, , I, , , EXPR)
#define BIN_ORDERED(name, t, PRE, EXPR)                                                           \
    BIN(name, t, S, A_, S, B_, PRE, EXPR)                                                         \
    BIN(name, t, A, , S, B_, PRE, EXPR)                                                           \
    BIN(name, t, S, A_, I, , PRE, EXPR)                                                           \
    BIN(name, t, A, , I, , PRE, EXPR)                                                             \
    BIN(name, t, S, A_, A, , PRE, EXPR)                                                           \
    BIN(name, t, I, , S, A_, PRE, EXPR)

/* One form only, for what is slow or rare anyway. */
#define BIN_PLAIN(name, t, PRE, EXPR) BIN1(name, t, S, A_, S, B_, , S, PRE, EXPR)

/* --- unary: one operand of type t to one of type u ---------------------------- */

#define UN1(name, t, u, fa, sfx, d, PRE, EXPR)                                                    \
    OPF_##fa##d(name##_##fa##sfx, {                                                               \
        T_##t a = GET_##t##_##fa(A_);                                                             \
        PRE;                                                                                      \
        PUT_##u##_##d(EXPR);                                                                      \
        NEXT(2);                                                                                  \
    })
#define UN(name, t, u, PRE, EXPR)                                                                 \
    UN1(name, t, u, S, , S, PRE, EXPR)                                                            \
    UN1(name, t, u, S, _A, A, PRE, EXPR)                                                          \
    UN1(name, t, u, A, , S, PRE, EXPR)                                                            \
    UN1(name, t, u, A, _A, A, PRE, EXPR)

#define UN_PLAIN(name, t, u, PRE, EXPR) UN1(name, t, u, S, , S, PRE, EXPR)

/* --- comparisons to an i32, and branches on a comparison -------------------------- */

#define CMP1(name, t, fa, fb, EXPR)                                                               \
    OPF_##fa##fb(name##_##fa##fb, {                                                               \
        T_##t a = GET_##t##_##fa(A_), b = GET_##t##_##fb(B_);                                     \
        PUT_i32_S(EXPR);                                                                          \
        NEXT(LEN_##t##_##fb);                                                                     \
    })
#define CMP_INT(name, t, EXPR)                                                                    \
    CMP1(name, t, S, S, EXPR)                                                                     \
    CMP1(name, t, A, S, EXPR)                                                                     \
    CMP1(name, t, S, I, EXPR)                                                                     \
    CMP1(name, t, A, I, EXPR)
/* Of i64: what the accumulator has is in its slot too. */
#define CMP_WIDE(name, t, EXPR)                                                                   \
    CMP1(name, t, S, S, EXPR)                                                                     \
    CMP1(name, t, S, I, EXPR)
#define CMP_FLOAT(name, t, EXPR)                                                                  \
    CMP1(name, t, S, S, EXPR)                                                                     \
    CMP1(name, t, A, S, EXPR)

/* A branch holds its target where i32 operands have their immediate, so these
 * have theirs in a word of its own. */
#define GETBR_i32_S(x) GET_i32_S(x)
#define GETBR_i32_A(x) GET_i32_A(x)
#define GETBR_i32_I(x) ((uint32_t)pc[2])
#define GETBR_i64_S(x) GET_i64_S(x)
#define GETBR_i64_A(x) GET_i64_A(x)
#define GETBR_i64_I(x) (pc[2])
#define GETBR_f32_S(x) GET_f32_S(x)
#define GETBR_f32_A(x) GET_f32_A(x)
#define GETBR_f64_S(x) GET_f64_S(x)
#define GETBR_f64_A(x) GET_f64_A(x)
#define LENBR_S 2
#define LENBR_A 2
#define LENBR_I 3

/* ENG_SMALL: of i32 only, what loops count in. */
#define OPF_i32(form) OPF_##form
#define OPF_i64(form) WITH_A
#define OPF_f64(form) WITH_A
#define BR1(name, t, fa, fb, EXPR)                                                                \
    OPF_##t(fa##fb)(br_##name##_##fa##fb, {                                                       \
        T_##t a = GETBR_##t##_##fa(A_), b = GETBR_##t##_##fb(D_);                                 \
        if (EXPR)                                                                                 \
            JUMP(IMM_);                                                                           \
        NEXT(LENBR_##fb);                                                                         \
    })                                                                                            \
    OPF_##t(fa##fb)(br_##name##_##fa##fb##_back, {                                                \
        T_##t a = GETBR_##t##_##fa(A_), b = GETBR_##t##_##fb(D_);                                 \
        if (EXPR)                                                                                 \
            JUMP_BACK(IMM_);                                                                      \
        NEXT(LENBR_##fb);                                                                         \
    })
#define BR_INT(name, t, EXPR)                                                                     \
    BR1(name, t, S, S, EXPR)                                                                      \
    BR1(name, t, A, S, EXPR)                                                                      \
    BR1(name, t, S, I, EXPR)                                                                      \
    BR1(name, t, A, I, EXPR)
#define BR_WIDE(name, t, EXPR)                                                                    \
    BR1(name, t, S, S, EXPR)                                                                      \
    BR1(name, t, S, I, EXPR)
#define BR_FLOAT(name, t, EXPR)                                                                   \
    BR1(name, t, S, S, EXPR)                                                                      \
    BR1(name, t, A, S, EXPR)

#endif
