/* The WebSocket between a client and its server: the opening handshake, and frames around the lines.
 *
 * Masks are zeros, which masks nothing, so that a frame costs little to write. Received frames are
 * unpacked in place; a message that is not complete waits. There is no extension and so no
 * compression.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <string.h>

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, OPCODE = 15 };
enum { FIN = 0x80, RESERVED = 0x70, MASKED = 0x80 };
enum { SHORT = 126, LONG = 127 }; /* lengths that announce one of two or of eight bytes */
enum { MAX_CONTROL = 125 };

/* The key and its answer from RFC 6455: every client may use the same one. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* --- sending ---------------------------------------------------------------------------------- */

size_t web_request(char *to) {
    const char *protocol = wire->subprotocol;
    return sprintf(to,
                   "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\nOrigin: http://127.0.0.1:%ld\r\n"
                   "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: " KEY "\r\n%s%s%s\r\n",
                   opt.port, opt.port, protocol ? "Sec-WebSocket-Protocol: " : "",
                   protocol ? protocol : "", protocol ? "\r\n" : "");
}

static void queue_frame(struct client *c, int opcode, const char *data, size_t len) {
    char head[8] = {(char)(FIN | opcode), (char)(MASKED | (len < SHORT ? len : SHORT))};
    size_t size = 2;
    if (len >= SHORT) {
        head[size++] = (char)(len >> 8);
        head[size++] = (char)len;
    }
    queue_bytes(c, head, size + 4); /* with a mask of zeros */
    queue_bytes(c, data, len);
}

void web_queue(struct client *c, const char *data, size_t len) {
    size_t ending = strlen(wire->ending);
    if (!ending) {
        queue_frame(c, BINARY, data, len);
        return;
    }
    for (size_t line; len; data += line, len -= line) {
        line = wire->cut(data, len);
        queue_frame(c, TEXT, data, line - ending);
    }
}

/* --- receiving -------------------------------------------------------------------------------- */

/* Return the length of the response that opens the WebSocket; 0 if it is not complete. */
static size_t read_response(struct client *c, const char *data, size_t len) {
    const char *end = memmem(data, len, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t size = end + 4 - data;
    if (!memmem(data, size, " 101 ", 5) || !memmem(data, size, ACCEPT, sizeof ACCEPT - 1))
        fail("client %d: no WebSocket: %.*s", c->index, (int)size, data);
    return size;
}

static void take_control(struct client *c, int opcode, const char *data, size_t len) {
    if (len > MAX_CONTROL) fail("client %d: a control frame of %zu bytes", c->index, len);
    if (opcode == PING) queue_frame(c, PONG, data, len);
    else if (opcode == CLOSE && c->state != LEAVING)
        fail("client %d: closed: %.*s", c->index, len > 2 ? (int)len - 2 : 0, data + 2);
}

size_t web_unpack(struct client *c, char *data, size_t *len) {
    char *to = data + c->unpacked, *from = to, *end = data + *len;
    size_t ending = strlen(wire->ending);
    if (!c->upgraded) {
        size_t response = read_response(c, from, end - from);
        if (!response) return 0;
        char hello[MAX_LINE];
        c->upgraded = true;
        from += response;
        web_queue(c, hello, wire->hello(hello, c->index));
    }
    while (end - from >= 2) {
        const unsigned char *head = (unsigned char *)from;
        size_t head_size = 2, size = head[1];
        if (head[0] & RESERVED || head[1] & MASKED) fail("client %d: a bad frame", c->index);
        if (size >= SHORT) {
            head_size = size == SHORT ? 4 : 10;
            if ((size_t)(end - from) < head_size) break;
            size = 0;
            for (size_t i = 2; i < head_size; i++) size = size << 8 | head[i];
        }
        if ((size_t)(end - from) - head_size < size) break;
        int first = head[0];
        from += head_size;
        if ((first & OPCODE) >= CLOSE) {
            take_control(c, first & OPCODE, from, size);
        } else {
            memmove(to, from, size);
            to += size;
            if (first & FIN) { /* an ending is never longer than the head, so there is room */
                memcpy(to, wire->ending, ending);
                to += ending;
            }
        }
        from += size;
    }
    if (to != from) memmove(to, from, end - from);
    *len -= from - to;
    return to - data;
}
