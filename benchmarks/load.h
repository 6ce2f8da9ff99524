/* The parts of the load generator and their interfaces.
 *
 *   load.c   options, connections, the epoll loop
 *   wire.c   the protocols: how to join, send and leave, and where a line ends
 *   web.c    the same protocols in the frames of a WebSocket
 *   check.c  verifies every delivery; latencies; CPU and memory used
 *   work.c   the workloads
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAYLOAD = 100 };  /* bytes of text in a message */
enum { MAX_LINE = 512 }; /* bytes of a line that a client sends */

enum state { ABSENT, COMING, PRESENT, LEAVING };

struct client {
    int fd, index;
    enum state state;
    char *rest; /* an incomplete line, received */
    size_t rest_len;
    size_t unpacked; /* bytes of `rest` that were taken out of their frames already */
    bool upgraded;   /* the WebSocket is open */
    char *out; /* not sent yet */
    size_t out_len, out_cap;
    bool dirty, blocked;
};

struct options {
    const char *protocol, *workload;
    long port, pid;               /* of the server; pid 0: not measured */
    long receivers, senders;      /* clients that get a message; those of them that send */
    long window;                  /* messages in flight (fanout) */
    long rate;                    /* messages or actions a second (paced, burst, mixed) */
    long warmup_ms, measure_ms;
    long last_wait_ms;            /* without a delivery: then missing messages are lost */
    long newcomers;               /* clients that join all at once (burst) */
    long ids;                     /* request an `ok` for every message */
    long presence;                /* everyone is told of joins and leaves */
    long quickack;                /* acknowledge at once, in TCP */
    long at_once;                 /* clients that join at a time */
    long pad;                     /* bytes before the payload in a plain line, at most 256 */
    long direct;                  /* clients can get direct messages */
    long web;                     /* over WebSocket */
};

struct wire {
    const char *name;
    bool echoes; /* the sender gets its message too */
    size_t tail; /* bytes of a delivered line after the payload */
    size_t (*cut)(const char *data, size_t len); /* length of the first line; 0: incomplete */
    size_t (*hello)(char *to, int client);
    size_t (*say)(char *to, int client, const char *payload);
    size_t (*direct)(char *to, int receiver, const char *payload); /* NULL: not supported */
    size_t (*status)(char *to, long number);                       /* NULL: not supported */
    const char *quit;
    void (*on_line)(struct client *, const char *line, size_t len); /* any other line */
    /* Over WebSocket: what ends a line if a message ends there; "": the messages are binary and
     * may be cut anywhere. */
    const char *ending;
    const char *subprotocol; /* NULL: none */
};

/* load.c */
extern struct options opt;
extern const struct wire *wire;
extern struct client *clients;
extern long client_count, present_count, acknowledged;
double now_s(void);
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void queue(struct client *, const char *data, size_t len); /* complete lines */
void queue_bytes(struct client *, const char *data, size_t len);
void open_client(int index);
void come(int first, int last); /* open [first, last) and wait until all are present */
void turn(double until);        /* one round of the loop; waits until then at most */
void on_present(struct client *); /* the wire calls it */

/* wire.c */
const struct wire *find_wire(const char *name);

/* web.c */
size_t web_request(char *to); /* the request that opens a WebSocket */
void web_queue(struct client *, const char *data, size_t len);
/* Take received bytes out of their frames, in place, from `unpacked` on. Return how many are ready;
 * those of an incomplete frame follow, and `len` becomes the length of both. */
size_t web_unpack(struct client *, char *data, size_t *len);

/* check.c */
struct meter {
    double wall, own_cpu, server_cpu;
    double idle; /* seconds, of all cores together */
    long switches, resident_kb;
    uint64_t deliveries, messages;
};
extern uint64_t deliveries, messages;
extern uint64_t lost, twice, disordered;
void check_begin(void);
void check_present(int receiver);            /* from now on it must get everything */
uint32_t check_sent(int sender, double due); /* the number of the sender's next message */
void write_payload(char *to, int sender, uint32_t seq);
bool is_payload(const char *at);
bool check_delivery(int receiver, const char *payload, int *sender, uint32_t *seq);
double due_at(int sender, uint32_t seq);
bool all_delivered(void);
void check_end(void); /* messages that have not arrived by now are lost */
void latency_add(double seconds);
void latency_reset(void);
double latency_ms(double quantile); /* 1.0 is the worst */
struct meter meter_read(void);

/* work.c */
void run_workload(void);
void work_on_delivery(struct client *, const char *payload);

#endif
