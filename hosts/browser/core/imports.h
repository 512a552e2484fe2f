/* What the core's worker (page/core-worker.js) gives to this module. None of these calls back. */
#ifndef HOSTS_BROWSER_CORE_IMPORTS_H
#define HOSTS_BROWSER_CORE_IMPORTS_H

#include <stddef.h>
#include <stdint.h>

#define JS(name) __attribute__((import_module("host"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

JS(now_ms) double js_now_ms(void);
JS(unix_ms) double js_unix_ms(void);
/* Answered by loaded(), after manifest() and hash(); the second by verified(). */
JS(load) void js_load(uint32_t app, const void *name, size_t len);
JS(verify) void js_verify(uint32_t app, const void *name, size_t len);
JS(unload) void js_unload(uint32_t app);
/* packet: WIRE_START and what belongs to it. memory_pages: most that the app may have. */
/* own: in our own engine. sockets: it may have some. cpu_percent: of a processor that it may
 * use, 0: all. Answered by spawned(). */
JS(spawn) void js_spawn(uint32_t app, const void *packet, size_t len, uint32_t memory_pages,
                        uint32_t own, uint32_t sockets, uint32_t cpu_percent);
/* How many bytes its stdin took; then delivered(app) comes once there is room. */
JS(write_stdin) int32_t js_write_stdin(uint32_t app, const void *bytes, size_t len);
JS(close_stdin) void js_close_stdin(uint32_t app);
JS(pause_output) void js_pause_output(uint32_t app, uint32_t paused);
/* Answered by connected(), unless there is nothing to connect through: then the errno is here. */
JS(connect) uint32_t js_connect(uint32_t app, const void *host, size_t host_len, uint32_t port);
JS(answer) void js_answer(uint32_t app, const void *packet, size_t len);
JS(ask_stop) void js_ask_stop(uint32_t app);
JS(kill) void js_kill(uint32_t app);
JS(console) void js_console(uint32_t stream, const void *bytes, size_t len);
/* Of the disk, files 0 and 1 (store.h): 0, E_FULL or E_IO. */
JS(disk_write) int32_t js_disk_write(uint32_t file, double at, const void *bytes, size_t len,
                                     uint32_t frees);
JS(disk_clear) int32_t js_disk_clear(uint32_t file);
JS(disk_barrier) int32_t js_disk_barrier(void);
/* Answered by flushed(), with this number or a higher one. */
JS(disk_flush) void js_disk_flush(uint32_t number);
JS(timer) void js_timer(double at_ms);
JS(power) void js_power(uint32_t stop, int32_t code);

#endif
