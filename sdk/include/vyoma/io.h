/* Reading and writing text in an app of a few hundred bytes.
 *
 * printf costs 15 KB and the start-up code that makes argv 8 KB; these helpers cost what
 * is used of them. They call WASI directly, hold no state of their own and allocate
 * nothing: buffers are the app's.
 *
 *     #include <vyoma/io.h>
 *     int main(void) { vy_println("Hello"); }
 *
 * Functions that can fail return 0 or a WASI error number (__WASI_ERRNO_...). */
#ifndef VYOMA_IO_H
#define VYOMA_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wasi/api.h>

#define VY_FN static inline __attribute__((unused))

enum { VY_STDIN = 0, VY_STDOUT = 1, VY_STDERR = 2 };

/* --- writing ---------------------------------------------------------------- */

/* Writes all of the n runs at v, in as few calls as it takes; v is used up. Stops at the
 * first error; a descriptor that does not block gives __WASI_ERRNO_AGAIN. */
VY_FN int vy_writev(int fd, __wasi_ciovec_t *v, size_t n)
{
    while (n) {
        __wasi_size_t done = 0;
        int err = __wasi_fd_write(fd, v, n, &done);
        if (err)
            return err;
        for (; n && done >= v->buf_len; v++, n--)
            done -= v->buf_len;
        if (n) {
            v->buf += done;
            v->buf_len -= done;
        }
    }
    return 0;
}

VY_FN int vy_write(int fd, const void *bytes, size_t n)
{
    __wasi_ciovec_t v = { (const uint8_t *)bytes, n };
    return vy_writev(fd, &v, 1);
}

VY_FN __wasi_ciovec_t vy_run(const char *s)
{
    return (__wasi_ciovec_t){ (const uint8_t *)s, strlen(s) };
}

VY_FN void vy_print(const char *s)
{
    vy_write(VY_STDOUT, s, strlen(s));
}

/* s and a line end, in one write, so that lines of several writers stay whole. */
VY_FN void vy_println(const char *s)
{
    __wasi_ciovec_t v[] = { vy_run(s), vy_run("\n") };
    vy_writev(VY_STDOUT, v, 2);
}

/* To stderr: diagnostics, which never mix with what the app has to say. */
VY_FN void vy_warn(const char *s)
{
    __wasi_ciovec_t v[] = { vy_run(s), vy_run("\n") };
    vy_writev(VY_STDERR, v, 2);
}

/* --- building text ---------------------------------------------------------- */

/* Text in the app's own buffer. What does not fit is dropped whole and sets `overflow`. */
struct vy_buf {
    char *p;
    size_t cap;
    size_t len; /* invariant: len <= cap */
    bool overflow;
};

/* A struct vy_buf over an array: struct vy_buf b = VY_BUF(array); */
#define VY_BUF(array) { (array), sizeof(array), 0, false }

VY_FN void vy_bytes(struct vy_buf *b, const void *bytes, size_t n)
{
    if (n > b->cap - b->len) {
        b->overflow = true;
        return;
    }
    memcpy(b->p + b->len, bytes, n);
    b->len += n;
}

VY_FN void vy_str(struct vy_buf *b, const char *s)
{
    vy_bytes(b, s, strlen(s));
}

VY_FN void vy_char(struct vy_buf *b, char c)
{
    vy_bytes(b, &c, 1);
}

/* Decimal, with zeros in front up to `width` digits (at most 20). */
VY_FN void vy_u64_pad(struct vy_buf *b, uint64_t v, unsigned width)
{
    char digits[20];
    unsigned n = sizeof digits;
    do {
        digits[--n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    while (n && sizeof digits - n < width)
        digits[--n] = '0';
    vy_bytes(b, digits + n, sizeof digits - n);
}

VY_FN void vy_u64(struct vy_buf *b, uint64_t v)
{
    vy_u64_pad(b, v, 1);
}

VY_FN void vy_i64(struct vy_buf *b, int64_t v)
{
    if (v < 0)
        vy_char(b, '-');
    vy_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* Writes what was built and empties the buffer. */
VY_FN int vy_flush(struct vy_buf *b, int fd)
{
    int err = vy_write(fd, b->p, b->len);
    b->len = 0;
    b->overflow = false;
    return err;
}

/* --- reading ---------------------------------------------------------------- */

/* Lines of a descriptor, through a buffer of the app's. */
struct vy_lines {
    int fd;
    char *p;
    size_t cap;
    size_t start, end; /* unread bytes: p[start, end); end < cap, so that a NUL fits */
    bool eof;
    bool skipping; /* in the rest of a line that was too long */
};

/* A struct vy_lines over an array: struct vy_lines in = VY_LINES(VY_STDIN, array); */
#define VY_LINES(fd, array) { (fd), (array), sizeof(array), 0, 0, false, false }

/* Reads more into the buffer, which is not full of unread bytes. 0 or an error; an error
 * counts as the end of the input. */
VY_FN int vy_lines_fill(struct vy_lines *in)
{
    memmove(in->p, in->p + in->start, in->end - in->start);
    in->end -= in->start;
    in->start = 0;
    __wasi_iovec_t v = { (uint8_t *)in->p + in->end, in->cap - 1 - in->end };
    __wasi_size_t n = 0;
    int err = __wasi_fd_read(in->fd, &v, 1, &n);
    in->eof = err || n == 0;
    in->end += err ? 0 : n;
    return err;
}

/* The next line: NUL-terminated, without its line end, valid until the next call. NULL at
 * the end of the input or on an error. A line longer than the buffer is cut: its first part
 * is returned and the rest is skipped. */
VY_FN char *vy_line(struct vy_lines *in)
{
    for (;;) {
        char *line = in->p + in->start;
        size_t have = in->end - in->start;
        char *end = memchr(line, '\n', have);
        bool full = !end && have == in->cap - 1;
        if (!end && !full && !in->eof) {
            vy_lines_fill(in);
            continue;
        }
        if (!end && have == 0)
            return NULL;
        bool drop = in->skipping;
        in->skipping = full;
        in->start = end ? (size_t)(end + 1 - in->p) : in->end;
        if (drop)
            continue;
        *(end ? end : line + have) = 0;
        return line;
    }
}

/* Leading decimal digits of *s as a number; moves *s past them. False, with *s untouched,
 * when there are none or they pass 2^64 - 1. */
VY_FN bool vy_parse_u64(const char **s, uint64_t *ret)
{
    const char *p = *s;
    uint64_t v = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
            return false;
    if (p == *s)
        return false;
    *s = p;
    *ret = v;
    return true;
}

/* Does s begin with `prefix`? The rest of s if so, else NULL. */
VY_FN const char *vy_after(const char *s, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

#endif
