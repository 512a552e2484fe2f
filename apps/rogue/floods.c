/* Too much of everything. The argument is for how many seconds; the attempt then says how far
 * it came. */
#include <vyoma/msg.h>
#include <vyoma/time.h>

#include "rogue.h"

static uint64_t until(uint64_t seconds)
{
    return vy_now_ns() + seconds * 1000000000;
}

static void flood_stdout(const char *name, uint64_t seconds)
{
    static char text[1000];
    memset(text, '#', sizeof text - 1);
    text[sizeof text - 1] = '\n';
    uint64_t end = until(seconds), n = 0;
    for (; vy_now_ns() < end; n++)
        vy_write(VY_STDOUT, text, sizeof text);
    tell(name, "lines of 1,000 bytes:", n);
}

static void flood_log(const char *name, uint64_t seconds)
{
    uint64_t end = until(seconds), n = 0;
    for (; vy_now_ns() < end; n++)
        vy_warn("rogue says something that nobody wants to know");
    tell(name, "lines on stderr:", n);
}

/* One line without an end. */
static void endless_line(const char *name, uint64_t seconds)
{
    static const char *const starts[] = { "@bystander: ", "" };
    static char text[4096];
    memset(text, 'x', sizeof text);
    uint64_t bytes = 0;
    for (int i = 0; i < 2; i++) {
        uint64_t end = until(seconds);
        for (vy_print(starts[i]); vy_now_ns() < end; bytes += sizeof text)
            vy_write(VY_STDOUT, text, sizeof text);
        vy_print("\n");
    }
    tell(name, "bytes:", bytes);
}

static void flood_messages(const char *name, uint64_t seconds)
{
    static char data[VY_MSG_MAX];
    uint64_t end = until(seconds), sent = 0, refused = 0;
    for (uint64_t i = 0; vy_now_ns() < end; i++)
        if (vy_send("bystander", data, i % 2 ? sizeof data : 1) == 0)
            sent++;
        else
            refused++;
    tell(name, "sent:", sent);
    tell(name, "refused:", refused);
}

static void flood_lines(const char *name, uint64_t seconds)
{
    uint64_t end = until(seconds), n = 0;
    for (; vy_now_ns() < end; n++)
        vy_send_line("bystander", "again and again and again");
    tell(name, "lines sent:", n);
}

static void flood_supervisor(const char *name, uint64_t seconds)
{
    uint64_t end = until(seconds), n = 0;
    for (; vy_now_ns() < end; n++)
        vy_print("@supervisor: ps\nVYOMA_SYSTEM:x\n@: \n@nobody: x\nVYOMA_DRAW:flush\n");
    tell(name, "times five lines that are refused:", n);
}

/* What the supervisor decides one by one. */
static void flood_requests(const char *name, uint64_t seconds)
{
    uint64_t end = until(seconds), n = 0;
    __wasi_filestat_t stat;
    int fd;
    for (; vy_now_ns() < end; n++) {
        (void)!__wasi_path_filestat_get(data_dir, 0, "../x", &stat);
        if (!vy_open(data_dir, "own", __WASI_OFLAGS_CREAT, VY_WRITE, 0, &fd))
            (void)!__wasi_fd_close(fd);
    }
    tell(name, "times two requests:", n);
}

static void flood_files(const char *name, uint64_t seconds)
{
    char path[16];
    uint64_t end = until(seconds), n = 0;
    int err = 0, fd;
    for (; vy_now_ns() < end && !err; n++) {
        struct vy_buf b = VY_BUF(path);
        vy_char(&b, 'f');
        vy_u64(&b, n);
        vy_char(&b, '\0');
        err = vy_open(data_dir, path, __WASI_OFLAGS_CREAT, VY_WRITE, 0, &fd);
        if (!err)
            (void)!__wasi_fd_close(fd);
    }
    tell(name, "files made:", n);
    while (n--) {
        struct vy_buf b = VY_BUF(path);
        vy_char(&b, 'f');
        vy_u64(&b, n);
        vy_char(&b, '\0');
        (void)!__wasi_path_unlink_file(data_dir, path);
    }
}

static void allocate(const char *name, uint64_t pages)
{
    uint64_t got = 0;
    while (got < pages && __builtin_wasm_memory_grow(0, 16) != (size_t)-1)
        got += 16;
    report(name, NULL, got < pages ? __WASI_ERRNO_NOMEM : 0);
    tell(name, "KiB more:", got * 64);
}

/* The same, and every page is written to. */
static void allocate_touch(const char *name, uint64_t pages)
{
    size_t at;
    uint64_t got = 0;
    for (; got < pages && (at = __builtin_wasm_memory_grow(0, 16)) != (size_t)-1; got += 16)
        memset((void *)(at << 16), 0x55, 16 << 16);
    report(name, NULL, got < pages ? __WASI_ERRNO_NOMEM : 0);
    tell(name, "KiB more:", got * 64);
}

static void spin(const char *name, uint64_t argument)
{
    tell(name, "begins", UINT64_MAX);
    for (volatile uint32_t i = 0;; i++)
        ;
}

static void sleep_for(const char *name, uint64_t seconds)
{
    tell(name, "seconds:", seconds);
    vy_sleep_ms((uint32_t)seconds * 1000);
}

/* Never reads what it is sent, never ends. */
static void deaf(const char *name, uint64_t argument)
{
    tell(name, "begins", UINT64_MAX);
    for (;;)
        vy_sleep_ms(1000000);
}

const struct attempt flood_attempts[] = {
    { "flood-stdout", flood_stdout, 2, false },
    { "flood-log", flood_log, 2, false },
    { "endless-line", endless_line, 1, false },
    { "flood-messages", flood_messages, 2, false },
    { "flood-lines", flood_lines, 2, false },
    { "flood-supervisor", flood_supervisor, 2, false },
    { "flood-requests", flood_requests, 2, false },
    { "flood-files", flood_files, 2, false },
    { "allocate", allocate, 65536, true },
    { "allocate-touch", allocate_touch, 65536, false },
    { "spin", spin, 0, false },
    { "sleep", sleep_for, 60, false },
    { "deaf", deaf, 0, false },
    { NULL, NULL, 0, false },
};
