/* An engine without SIMD: its instructions are refused by name. */
#include "validate/func.h"

#if !ENG_SIMD

/* By opcode (0xfd 0 to 255), each ended by a semicolon and empty where there is none; the
 * first letter stands for the shape. */
static const char names[] =
    "vload;vload8x8_s;vload8x8_u;vload16x4_s;vload16x4_u;vload32x2_s;vload32x2_u;"
    "vload8_splat;vload16_splat;vload32_splat;vload64_splat;vstore;vconst;bshuffle;bswizzle;"
    "bsplat;hsplat;wsplat;lsplat;fsplat;dsplat;bextract_lane_s;bextract_lane_u;breplace_lane;"
    "hextract_lane_s;hextract_lane_u;hreplace_lane;wextract_lane;wreplace_lane;lextract_lane;"
    "lreplace_lane;fextract_lane;freplace_lane;dextract_lane;dreplace_lane;beq;bne;blt_s;"
    "blt_u;bgt_s;bgt_u;ble_s;ble_u;bge_s;bge_u;heq;hne;hlt_s;hlt_u;hgt_s;hgt_u;hle_s;hle_u;"
    "hge_s;hge_u;weq;wne;wlt_s;wlt_u;wgt_s;wgt_u;wle_s;wle_u;wge_s;wge_u;feq;fne;flt;fgt;fle;"
    "fge;deq;dne;dlt;dgt;dle;dge;vnot;vand;vandnot;vor;vxor;vbitselect;vany_true;vload8_lane;"
    "vload16_lane;vload32_lane;vload64_lane;vstore8_lane;vstore16_lane;vstore32_lane;"
    "vstore64_lane;vload32_zero;vload64_zero;fdemote_f64x2_zero;dpromote_low_f32x4;babs;bneg;"
    "bpopcnt;ball_true;bbitmask;bnarrow_i16x8_s;bnarrow_i16x8_u;fceil;ffloor;ftrunc;fnearest;"
    "bshl;bshr_s;bshr_u;badd;badd_sat_s;badd_sat_u;bsub;bsub_sat_s;bsub_sat_u;dceil;dfloor;"
    "bmin_s;bmin_u;bmax_s;bmax_u;dtrunc;bavgr_u;hextadd_pairwise_i8x16_s;"
    "hextadd_pairwise_i8x16_u;wextadd_pairwise_i16x8_s;wextadd_pairwise_i16x8_u;habs;hneg;"
    "hq15mulr_sat_s;hall_true;hbitmask;hnarrow_i32x4_s;hnarrow_i32x4_u;hextend_low_i8x16_s;"
    "hextend_high_i8x16_s;hextend_low_i8x16_u;hextend_high_i8x16_u;hshl;hshr_s;hshr_u;hadd;"
    "hadd_sat_s;hadd_sat_u;hsub;hsub_sat_s;hsub_sat_u;dnearest;hmul;hmin_s;hmin_u;hmax_s;"
    "hmax_u;;havgr_u;hextmul_low_i8x16_s;hextmul_high_i8x16_s;hextmul_low_i8x16_u;"
    "hextmul_high_i8x16_u;wabs;wneg;;wall_true;wbitmask;;;wextend_low_i16x8_s;"
    "wextend_high_i16x8_s;wextend_low_i16x8_u;wextend_high_i16x8_u;wshl;wshr_s;wshr_u;wadd;;;"
    "wsub;;;;wmul;wmin_s;wmin_u;wmax_s;wmax_u;wdot_i16x8_s;;wextmul_low_i16x8_s;"
    "wextmul_high_i16x8_s;wextmul_low_i16x8_u;wextmul_high_i16x8_u;labs;lneg;;lall_true;"
    "lbitmask;;;lextend_low_i32x4_s;lextend_high_i32x4_s;lextend_low_i32x4_u;"
    "lextend_high_i32x4_u;lshl;lshr_s;lshr_u;ladd;;;lsub;;;;lmul;leq;lne;llt_s;lgt_s;lle_s;"
    "lge_s;lextmul_low_i32x4_s;lextmul_high_i32x4_s;lextmul_low_i32x4_u;lextmul_high_i32x4_u;"
    "fabs;fneg;;fsqrt;fadd;fsub;fmul;fdiv;fmin;fmax;fpmin;fpmax;dabs;dneg;;dsqrt;dadd;dsub;"
    "dmul;ddiv;dmin;dmax;dpmin;dpmax;wtrunc_sat_f32x4_s;wtrunc_sat_f32x4_u;fconvert_i32x4_s;"
    "fconvert_i32x4_u;wtrunc_sat_f64x2_s_zero;wtrunc_sat_f64x2_u_zero;dconvert_low_i32x4_s;"
    "dconvert_low_i32x4_u;";

static const char *shape(char letter)
{
    switch (letter) {
    case 'b':
        return "i8x16.";
    case 'h':
        return "i16x8.";
    case 'w':
        return "i32x4.";
    case 'l':
        return "i64x2.";
    case 'f':
        return "f32x4.";
    case 'd':
        return "f64x2.";
    default:
        return "v128.";
    }
}

/* NULL when there is none. */
static const char *simd_name(uint32_t opcode, char buffer[48])
{
    const char *p = names;
    if (opcode > 0xff)
        return NULL;
    for (; opcode; opcode--)
        p = strchr(p, ';') + 1;
    if (*p == ';')
        return NULL;
    const char *prefix = shape(*p++);
    size_t start = strlen(prefix), n = (size_t)(strchr(p, ';') - p);
    base_assert(start + n < 48);
    memcpy(buffer, prefix, start);
    memcpy(buffer + start, p, n);
    buffer[start + n] = 0;
    return buffer;
}

int op_simd(struct compiler *c, const uint8_t *at)
{
    char buffer[48], text[80] = "";
    uint32_t opcode = reader_u32(&c->l->r);
    if (c->l->r.failed)
        return E_MALFORMED;
    if (opcode >= SIMD_RELAXED_FIRST && opcode <= SIMD_RELAXED_LAST)
        return reader_fail(&c->l->r, E_UNSUPPORTED, at, "relaxed SIMD instruction not supported");
    const char *name = simd_name(opcode, buffer);
    if (!name)
        return reader_fail(&c->l->r, E_MALFORMED, at, "illegal opcode");
    size_t n = strlen(name);
    memcpy(text, name, n);
    memcpy(text + n, " not supported", sizeof " not supported");
    return reader_fail_with(&c->l->r, E_UNSUPPORTED, at, "SIMD instruction ", text);
}

#endif
