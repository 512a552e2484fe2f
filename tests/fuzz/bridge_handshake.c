#define _GNU_SOURCE
/* The HTTP request that opens a WebSocket, from whoever connects to vyoma-bridge. */
#include "../../hosts/bridge/handshake.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char bytes[512];
    struct strbuf reply;
    if (size > BRIDGE_HEAD_MAX)
        return 0;
    strbuf_init(&reply, bytes, sizeof bytes);
    int status = handshake_answer(span_of(data, size), "0123456789abcdef", &reply);
    if (reply.overflow || reply.len < 12 || memcmp(bytes, "HTTP/1.1 ", 9) != 0)
        __builtin_trap();
    if (status == 101 && !memmem(data, size, "/0123456789abcdef ", 18))
        __builtin_trap();
    return 0;
}
