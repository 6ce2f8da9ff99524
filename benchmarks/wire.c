/* The protocols: how a client joins, sends and leaves, and what it must answer.
 *
 * The servers that only copy lines use `plain`. A client sends `=N` to set its number, and the line
 * comes back. A line that begins with `>N` goes only to client N. Any other line goes to all.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STARTS(text, len, with) ((len) >= sizeof with - 1 && !memcmp(text, with, sizeof with - 1))
#define SEND(client, text) queue(client, text, sizeof text - 1)

static size_t cut_line(const char *data, size_t len) {
    const char *end = memchr(data, '\n', len);
    return end ? end - data + 1 : 0;
}

static _Noreturn void refused(struct client *c, const char *line, size_t len) {
    fail("client %d: %.*s", c->index, (int)len, line);
}

/* --- plain ------------------------------------------------------------------------------------ */

static size_t plain_hello(char *to, int client) { return sprintf(to, "=%05d\n", client); }

static size_t plain_say(char *to, int client, const char *payload) {
    (void)client;
    memset(to, '.', opt.pad);
    return opt.pad + sprintf(to + opt.pad, "%.*s\n", PAYLOAD, payload);
}

static size_t plain_direct(char *to, int receiver, const char *payload) {
    return sprintf(to, ">%05d%.*s\n", receiver, PAYLOAD, payload);
}

static void plain_on_line(struct client *c, const char *line, size_t len) {
    if (!STARTS(line, len, "=")) refused(c, line, len);
    on_present(c);
}

/* --- tertulia --------------------------------------------------------------------------------- */

static size_t tertulia_hello(char *to, int client) {
    return sprintf(to, "{\"type\":\"register\",\"name\":\"u%05d\"%s}\n", client,
                   opt.presence ? "" : ",\"events\":\"messages\"");
}

static size_t tertulia_say(char *to, int client, const char *payload) {
    (void)client;
    return sprintf(to, "{\"type\":\"say\",\"text\":\"%.*s\"%s}\n", PAYLOAD, payload,
                   opt.ids ? ",\"id\":1" : "");
}

static size_t tertulia_direct(char *to, int receiver, const char *payload) {
    return sprintf(to, "{\"type\":\"direct\",\"to\":\"u%05d\",\"text\":\"%.*s\"}\n", receiver,
                   PAYLOAD, payload);
}

static size_t tertulia_status(char *to, long number) {
    return sprintf(to, "{\"type\":\"status\",\"status\":\"%s\"}\n",
                   number % 2 ? "OCUPADO" : "ACTIVO");
}

static void tertulia_on_line(struct client *c, const char *line, size_t len) {
    if (STARTS(line, len, "{\"type\":\"ok\"")) acknowledged++;
    else if (STARTS(line, len, "{\"type\":\"welcome\"")) on_present(c);
    else if (STARTS(line, len, "{\"type\":\"ping\"")) SEND(c, "{\"type\":\"pong\"}\n");
    else if (STARTS(line, len, "{\"type\":\"error\"") || STARTS(line, len, "{\"type\":\"gap\""))
        refused(c, line, len);
}

/* --- IRC -------------------------------------------------------------------------------------- */

static size_t irc_hello(char *to, int client) {
    return sprintf(to, "NICK u%05d\r\nUSER u%05d 0 * :u\r\n", client, client);
}

static size_t irc_say(char *to, int client, const char *payload) {
    (void)client;
    return sprintf(to, "PRIVMSG #room :%.*s\r\n", PAYLOAD, payload);
}

static size_t irc_direct(char *to, int receiver, const char *payload) {
    return sprintf(to, "PRIVMSG u%05d :%.*s\r\n", receiver, PAYLOAD, payload);
}

static size_t irc_status(char *to, long number) {
    return sprintf(to, number % 2 ? "AWAY :busy\r\n" : "AWAY\r\n");
}

static int irc_numeric(const char *line, size_t len) {
    const char *space = memchr(line, ' ', len);
    return space ? atoi(space + 1) : 0;
}

static void irc_on_line(struct client *c, const char *line, size_t len) {
    if (STARTS(line, len, "PING")) {
        char pong[MAX_LINE];
        if (len > MAX_LINE) refused(c, line, len);
        memcpy(pong, line, len);
        pong[1] = 'O';
        queue(c, pong, len);
    } else if (STARTS(line, len, "ERROR") && c->state != LEAVING) {
        refused(c, line, len);
    } else if (c->state == COMING) {
        int numeric = irc_numeric(line, len);
        if (numeric == 1 && opt.presence) SEND(c, "JOIN #room\r\n");
        else if (numeric == 433) refused(c, line, len); /* the name is taken */
        else if (opt.presence ? numeric == 366 : numeric == 376 || numeric == 422) on_present(c);
    }
}

/* --- NATS ------------------------------------------------------------------------------------- */

static size_t nats_hello(char *to, int client) {
    size_t len = sprintf(to, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB room 1\r\n");
    if (opt.direct) len += sprintf(to + len, "SUB u%05d 2\r\n", client);
    return len + sprintf(to + len, "PING\r\n");
}

static size_t nats_say(char *to, int client, const char *payload) {
    (void)client;
    return sprintf(to, "PUB room %d\r\n%.*s\r\n", PAYLOAD, PAYLOAD, payload);
}

static size_t nats_direct(char *to, int receiver, const char *payload) {
    return sprintf(to, "PUB u%05d %d\r\n%.*s\r\n", receiver, PAYLOAD, PAYLOAD, payload);
}

static void nats_on_line(struct client *c, const char *line, size_t len) {
    if (line[0] == 'M') return; /* the payload follows in a line of its own */
    if (STARTS(line, len, "PONG")) on_present(c);
    else if (STARTS(line, len, "PING")) SEND(c, "PONG\r\n");
    else if (STARTS(line, len, "-ERR")) refused(c, line, len);
}

/* --- MQTT 3.1.1, QoS 0 ------------------------------------------------------------------------ */

static size_t mqtt_cut(const char *data, size_t len) {
    size_t size = 0, at = 1;
    for (int shift = 0; at < len && at < 5; shift += 7) {
        size |= (size_t)(data[at] & 127) << shift;
        if (!(data[at++] & 128)) return at + size <= len ? at + size : 0;
    }
    return 0;
}

/* Write a short packet. All packets that a client sends are shorter than 128 bytes. */
static size_t mqtt_packet(char *to, char kind, const char *body, size_t len) {
    to[0] = kind;
    to[1] = (char)len;
    memcpy(to + 2, body, len);
    return len + 2;
}

static size_t mqtt_text(char *to, const char *text) {
    size_t len = strlen(text);
    to[0] = 0;
    to[1] = (char)len;
    memcpy(to + 2, text, len);
    return len + 2;
}

static size_t mqtt_hello(char *to, int client) {
    char body[128] = "\0\4MQTT\4\2\0\0", name[16]; /* version 4, clean session, no keep-alive */
    snprintf(name, sizeof name, "u%05d", client);
    size_t len = mqtt_packet(to, 0x10, body, 10 + mqtt_text(body + 10, name));
    size_t end = 2;
    memcpy(body, "\0\1", 2); /* the packet's number */
    end += mqtt_text(body + end, "room");
    body[end++] = 0; /* QoS */
    if (opt.direct) {
        end += mqtt_text(body + end, name);
        body[end++] = 0;
    }
    return len + mqtt_packet(to + len, (char)0x82, body, end);
}

static size_t mqtt_publish(char *to, const char *topic, const char *payload) {
    char body[128];
    size_t len = mqtt_text(body, topic);
    memcpy(body + len, payload, PAYLOAD);
    return mqtt_packet(to, 0x30, body, len + PAYLOAD);
}

static size_t mqtt_say(char *to, int client, const char *payload) {
    (void)client;
    return mqtt_publish(to, "room", payload);
}

static size_t mqtt_direct(char *to, int receiver, const char *payload) {
    char name[16];
    snprintf(name, sizeof name, "u%05d", receiver);
    return mqtt_publish(to, name, payload);
}

static void mqtt_on_line(struct client *c, const char *packet, size_t len) {
    if ((packet[0] & 0xf0) == 0x20 && len > 3 && packet[3]) fail("client %d: refused", c->index);
    if ((unsigned char)packet[0] == 0x90) on_present(c);
}

/* ---------------------------------------------------------------------------------------------- */

static const struct wire wires[] = {
    {"plain", true, 1, cut_line, plain_hello, plain_say, plain_direct, NULL, NULL, plain_on_line,
     "\n", NULL},
    {"tertulia", true, 3, cut_line, tertulia_hello, tertulia_say, tertulia_direct,
     tertulia_status, "{\"type\":\"quit\"}\n", tertulia_on_line, "\n", NULL},
    {"irc", false, 2, cut_line, irc_hello, irc_say, irc_direct, irc_status, "QUIT\r\n",
     irc_on_line, "\r\n", "text.ircv3.net"},
    {"nats", true, 2, cut_line, nats_hello, nats_say, nats_direct, NULL, NULL, nats_on_line,
     "", NULL},
    {"mqtt", true, 0, mqtt_cut, mqtt_hello, mqtt_say, mqtt_direct, NULL, NULL, mqtt_on_line,
     "", "mqtt"},
};

const struct wire *find_wire(const char *name) {
    for (size_t i = 0; i < sizeof wires / sizeof *wires; i++)
        if (!strcmp(wires[i].name, name)) return &wires[i];
    return NULL;
}
