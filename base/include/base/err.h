/* Error numbers shared by every room.
 *
 * Convention: a function that can fail returns int; 0 or a count is success, a
 * negative value is one of these. On failure output parameters are untouched
 * unless the function's comment says otherwise. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum base_err {
    E_OK = 0,
    E_TRUNCATED = -1,   /* input ended in the middle of something */
    E_MALFORMED = -2,   /* input is not of its format */
    E_RANGE = -3,       /* a number or index lies outside its range */
    E_NOMEM = -4,       /* the arena or allocator that was given is used up */
    E_FULL = -5,        /* a bounded table, queue or buffer is full */
    E_NOENT = -6,       /* no such app, key, file */
    E_EXISTS = -7,      /* name is taken */
    E_DENIED = -8,      /* the caller does not hold the capability */
    E_UNSUPPORTED = -9, /* known, and deliberately not implemented */
    E_INVAL = -10,      /* arguments contradict each other */
    E_IO = -11,         /* the host failed to do it */
    E_AGAIN = -12,      /* would block */
    E_LIMIT = -13,      /* a stated limit was reached */
};

/* A short lower-case name ("truncated"); "error" for an unknown number. */
static inline const char *base_err_name(int err)
{
    static const char *const names[] = {
        "ok", "truncated", "malformed", "out of range", "out of memory", "full",
        "not found", "exists", "denied", "unsupported", "invalid", "i/o error",
        "try again", "limit reached",
    };
    int i = -err;
    return i >= 0 && i < (int)(sizeof names / sizeof names[0]) ? names[i] : "error";
}

#endif
