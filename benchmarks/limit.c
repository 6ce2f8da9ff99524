/* The physical limit: a server that only copies each line to every socket.
 *
 * It has no names, no limits and no state. The lines that arrive in a round are sent at its end,
 * with one write for each socket. A client sends `=N` to set its number, and gets the line back. A
 * line that begins with `>N` is sent only to client N. No server can deliver much faster with the
 * same kernel calls.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_EVENTS = 512, MAX_FD = 1 << 16, BUFFER = 1 << 16 };

struct bytes { char *data; size_t len, cap; };
struct client { int fd; struct bytes in, out; };

static struct client *clients[MAX_FD], *numbered[100000];
static int client_count, epoll_fd;
static struct bytes round_bytes; /* the lines of this round, for all clients */

static void add(struct bytes *to, const char *data, size_t len) {
    if (to->len + len > to->cap) to->data = realloc(to->data, to->cap = 2 * to->cap + len);
    if (!to->data) exit(1);
    memcpy(to->data + to->len, data, len);
    to->len += len;
}

static void drop(struct bytes *from, size_t len) {
    from->len -= len;
    memmove(from->data, from->data + len, from->len);
}

static void forget(struct client *c) {
    for (int i = 0; i < client_count; i++)
        if (clients[i] == c) clients[i] = clients[--client_count];
    for (int i = 0; i < 100000; i++)
        if (numbered[i] == c) numbered[i] = NULL;
    close(c->fd);
    free(c->in.data);
    free(c->out.data);
    free(c);
}

/* Send the bytes, after any that wait; keep those that the socket does not accept. */
static void write_out(struct client *c, const char *data, size_t len) {
    if (c->out.len) {
        add(&c->out, data, len);
        data = c->out.data;
        len = c->out.len;
    }
    ssize_t sent = send(c->fd, data, len, MSG_NOSIGNAL);
    if (sent < 0) sent = 0; /* full, or closed: then reading ends it */
    if (c->out.len) drop(&c->out, sent);
    else if ((size_t)sent < len) add(&c->out, data + sent, len - sent);
    else return;
    struct epoll_event event = {.events = EPOLLIN | (c->out.len ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
}

static void handle_line(struct client *c, char *line, size_t len) {
    if (line[0] == '=') {
        numbered[atoi(line + 1) % 100000] = c;
        write_out(c, line, len);
    } else if (line[0] == '>') {
        struct client *to = numbered[atoi(line + 1) % 100000];
        if (to) write_out(to, line, len);
    } else {
        add(&round_bytes, line, len);
    }
}

/* Receive and handle lines; return false if the client has closed the connection. */
static int read_in(struct client *c) {
    char buffer[BUFFER], *end, *data;
    ssize_t got = recv(c->fd, buffer, BUFFER, 0);
    if (got <= 0) return 0;
    add(&c->in, buffer, got);
    size_t left = c->in.len;
    for (data = c->in.data; (end = memchr(data, '\n', left)); data = end + 1) {
        handle_line(c, data, end + 1 - data);
        left -= end + 1 - data;
    }
    drop(&c->in, c->in.len - left);
    return 1;
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)},
                                  .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
    struct epoll_event events[MAX_EVENTS], event = {.events = EPOLLIN};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1, fd;
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) {
        perror("limit");
        return 1;
    }
    epoll_fd = epoll_create1(0);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct client *c = events[i].data.ptr;
            if (c) {
                if (events[i].events & EPOLLOUT) write_out(c, "", 0);
                if (events[i].events & ~EPOLLOUT && !read_in(c)) forget(c);
                continue;
            }
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                if (client_count == MAX_FD || !(c = calloc(1, sizeof *c))) return 1;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                c->fd = fd;
                clients[client_count++] = c;
                struct epoll_event first = {.events = EPOLLIN, .data.ptr = c};
                epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &first);
            }
        }
        if (round_bytes.len)
            for (int i = 0; i < client_count; i++)
                write_out(clients[i], round_bytes.data, round_bytes.len);
        round_bytes.len = 0;
    }
}
