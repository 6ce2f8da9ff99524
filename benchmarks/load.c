/* A load generator for chat servers, with one thread and one epoll.
 *
 * It checks every delivery. It writes one JSON object to stdout: what it measured, how busy it was
 * itself, and how many messages were lost, duplicated or out of order. Every client has a loopback
 * address of its own. Options are name=value; see `options` below.
 */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_EVENTS = 512 };
enum { RECEIVE_BYTES = 1 << 18 };
static const double COME_TIMEOUT_S = 120.0; /* for one more client to join */

struct options opt = {
    .protocol = "plain", .workload = "fanout", .receivers = 10, .senders = 10, .window = 1,
    .rate = 100, .warmup_ms = 200, .measure_ms = 1000, .last_wait_ms = 10000, .newcomers = 100,
    .presence = 1, .at_once = 64,
};
static const struct { const char *name; long *value; } options[] = {
    {"port", &opt.port}, {"pid", &opt.pid}, {"receivers", &opt.receivers},
    {"senders", &opt.senders}, {"window", &opt.window}, {"rate", &opt.rate},
    {"warmup_ms", &opt.warmup_ms}, {"measure_ms", &opt.measure_ms},
    {"newcomers", &opt.newcomers}, {"ids", &opt.ids}, {"presence", &opt.presence},
    {"quickack", &opt.quickack}, {"last_wait_ms", &opt.last_wait_ms},
    {"at_once", &opt.at_once}, {"pad", &opt.pad}, {"web", &opt.web},
};

const struct wire *wire;
struct client *clients;
long client_count, present_count, acknowledged;
static int epoll_fd;
static struct client **dirty; /* clients with bytes to send at the end of the round */
static long dirty_count;

double now_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

void fail(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    exit(1);
}

/* --- sending ---------------------------------------------------------------------------------- */

void queue_bytes(struct client *c, const char *data, size_t len) {
    if (c->out_len + len > c->out_cap) {
        c->out_cap = 2 * c->out_cap + len;
        c->out = realloc(c->out, c->out_cap);
        if (!c->out) fail("out of memory");
    }
    memcpy(c->out + c->out_len, data, len);
    c->out_len += len;
    if (!c->dirty && !c->blocked) {
        c->dirty = true;
        dirty[dirty_count++] = c;
    }
}

void queue(struct client *c, const char *data, size_t len) {
    if (opt.web) web_queue(c, data, len);
    else queue_bytes(c, data, len);
}

static void watch(struct client *c, int operation, bool blocked) {
    struct epoll_event event = {.events = EPOLLIN | (blocked ? EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(epoll_fd, operation, c->fd, &event)) fail("epoll_ctl: %s", strerror(errno));
}

static void send_out(struct client *c) {
    bool was_blocked = c->blocked;
    c->dirty = c->blocked = false;
    if (c->fd < 0) return;
    ssize_t sent = c->out_len ? send(c->fd, c->out, c->out_len, MSG_NOSIGNAL) : 0;
    if (sent < 0 && errno != EAGAIN) fail("client %d: send: %s", c->index, strerror(errno));
    if (sent > 0) {
        c->out_len -= sent;
        memmove(c->out, c->out + sent, c->out_len);
    }
    c->blocked = c->out_len > 0;
    if (c->blocked != was_blocked) watch(c, EPOLL_CTL_MOD, c->blocked);
}

/* --- receiving -------------------------------------------------------------------------------- */

static void close_client(struct client *c) {
    if (c->state != LEAVING) fail("client %d: closed by the server", c->index);
    close(c->fd);
    free(c->rest);
    c->fd = -1;
    c->rest = NULL;
    c->rest_len = c->unpacked = c->out_len = 0;
    c->upgraded = false;
    c->state = ABSENT;
}

static void receive(struct client *c) {
    static char buffer[RECEIVE_BYTES];
    char *data = buffer;
    if (c->rest_len) memcpy(buffer, c->rest, c->rest_len);
    ssize_t got = recv(c->fd, buffer + c->rest_len, RECEIVE_BYTES - c->rest_len, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0 && c->state != LEAVING) fail("client %d: recv: %s", c->index, strerror(errno));
    if (got <= 0) {
        close_client(c);
        return;
    }
    if (opt.quickack) {
        int on = 1; /* the kernel resets it, so set it each time */
        setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    }
    size_t len = c->rest_len + got, line, before = PAYLOAD + wire->tail;
    size_t ready = opt.web ? web_unpack(c, data, &len) : len;
    while ((line = wire->cut(data, ready))) {
        const char *payload = data + line - before;
        if (line >= before && is_payload(payload))
            work_on_delivery(c, payload);
        else
            wire->on_line(c, data, line);
        data += line;
        ready -= line;
        len -= line;
    }
    if (len == RECEIVE_BYTES) fail("client %d: a line is too long", c->index);
    if (len != c->rest_len) c->rest = realloc(c->rest, len);
    if (len) memcpy(c->rest, data, len);
    else c->rest = NULL;
    c->rest_len = len;
    c->unpacked = opt.web ? ready : 0;
}

/* --- the loop --------------------------------------------------------------------------------- */

void turn(double until) {
    struct epoll_event events[MAX_EVENTS];
    for (long i = 0; i < dirty_count; i++) send_out(dirty[i]);
    dirty_count = 0;
    double wait = until - now_s();
    if (wait < 0) wait = 0;
    struct timespec timeout = {.tv_sec = wait, .tv_nsec = (wait - (long)wait) * 1e9};
    int count = epoll_pwait2(epoll_fd, events, MAX_EVENTS, &timeout, NULL);
    if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        struct client *c = events[i].data.ptr;
        if (events[i].events & EPOLLOUT) send_out(c);
        if (events[i].events & ~EPOLLOUT && c->fd >= 0) receive(c);
    }
}

void open_client(int index) {
    struct client *c = &clients[index];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(opt.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl((127u << 24) + (1u << 16) + index)};
    int on = 1;
    c->index = index;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(c->fd, (struct sockaddr *)&from, sizeof from)) fail("bind: %s", strerror(errno));
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    char hello[MAX_LINE];
    c->state = COMING;
    c->blocked = true; /* until it is connected */
    watch(c, EPOLL_CTL_ADD, true);
    queue_bytes(c, hello, opt.web ? web_request(hello) : wire->hello(hello, index));
}

void on_present(struct client *c) {
    if (c->state != COMING) return;
    c->state = PRESENT;
    present_count++;
    check_present(c->index);
}

void come(int first, int last) {
    int next = first;
    long before = present_count, count;
    double give_up_at = now_s() + COME_TIMEOUT_S;
    while ((count = present_count - before) < last - first) {
        while (next < last && next - first - count < opt.at_once) open_client(next++);
        turn(give_up_at);
        if (present_count - before != count) give_up_at = now_s() + COME_TIMEOUT_S;
        else if (now_s() > give_up_at) fail("only %ld of %d clients joined", count, last - first);
    }
}

static void read_option(const char *argument) {
    const char *value = strchr(argument, '=');
    if (!value) fail("not name=value: %s", argument);
    size_t len = value++ - argument;
    if (!strncmp(argument, "protocol", len)) opt.protocol = value;
    else if (!strncmp(argument, "workload", len)) opt.workload = value;
    else
        for (size_t i = 0;; i++) {
            if (i == sizeof options / sizeof *options) fail("no such option: %s", argument);
            if (strlen(options[i].name) == len && !strncmp(argument, options[i].name, len)) {
                *options[i].value = atol(value);
                return;
            }
        }
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) read_option(argv[i]);
    wire = find_wire(opt.protocol);
    if (!wire) fail("no such protocol: %s", opt.protocol);
    /* The sender is one of the receivers. If it does not get its own message, there is one more
     * client, so that a message has the same number of deliveries with every server. */
    client_count = opt.receivers + !wire->echoes;
    opt.direct = !strcmp(opt.workload, "direct");
    if (opt.direct) client_count = 2 * opt.senders; /* in pairs */
    if (opt.senders > client_count) fail("more senders than clients: %ld", opt.senders);
    long most = client_count + opt.newcomers;
    clients = calloc(most, sizeof *clients);
    dirty = calloc(most, sizeof *dirty);
    epoll_fd = epoll_create1(0);
    if (!clients || !dirty || epoll_fd < 0) fail("cannot allocate %ld clients", most);
    for (long i = 0; i < most; i++) clients[i].fd = -1;
    run_workload();
    return lost || twice || disordered;
}
