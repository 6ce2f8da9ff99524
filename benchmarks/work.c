/* The workloads: which clients send what and when, and which figures are reported.
 *
 * In each workload the clients join, warm up, and measure, and then wait for all messages that were
 * sent. A delivery that has not arrived by then is lost.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DONE_RING = 4096 };          /* more than can be in flight */
static const double SETTLE_S = 2.0; /* after many have joined, before measuring */
static const double BURST_S = 2.0;  /* the effect of a burst has to be over by then */

static uint32_t done[DONE_RING]; /* receivers that already have a message in flight */
static long in_flight;
static bool stopping, timed;
static int *receiver_of; /* the other client of a pair */
static uint64_t turn_of;

static void say(int sender, double due) {
    char line[MAX_LINE], payload[PAYLOAD];
    uint32_t seq = check_sent(sender, due);
    size_t len;
    write_payload(payload, sender, seq);
    if (opt.direct)
        len = wire->direct(line, receiver_of[sender], payload);
    else
        len = wire->say(line, sender, payload);
    queue(&clients[sender], line, len);
    in_flight++;
}

/* Let the next sender in turn send, so that a message's number gives its sender and its place. */
static void say_next(double due) {
    uint64_t id = turn_of++;
    done[id % DONE_RING] = 0;
    say(id % opt.senders, due);
}

void work_on_delivery(struct client *c, const char *payload) {
    int sender;
    uint32_t seq;
    if (!check_delivery(c->index, payload, &sender, &seq)) return;
    if (timed) latency_add(now_s() - due_at(sender, seq));
    if (opt.direct) {
        in_flight--;
        if (!stopping) say(sender, 0);
    } else if (opt.window && ++done[(seq * opt.senders + sender) % DONE_RING] == opt.receivers) {
        in_flight--;
        if (!stopping) say_next(0);
    }
}

static void run_for(double seconds) {
    double until = now_s() + seconds;
    while (now_s() < until) turn(until);
}

/* Act at a fixed rate, however long the answers take. */
static void run_paced(double seconds, void (*action)(double due)) {
    double start = now_s(), step = 1.0 / opt.rate;
    long count = seconds * opt.rate;
    for (long i = 0; i < count;) {
        while (i < count && start + i * step <= now_s()) action(start + i++ * step);
        turn(start + i * step);
    }
}

static void wait_for_rest(void) {
    stopping = true;
    uint64_t seen = deliveries;
    double give_up_at = now_s() + opt.last_wait_ms / 1e3;
    while (!all_delivered() || (opt.ids && acknowledged < (long)messages)) {
        turn(now_s() + 0.05);
        if (deliveries != seen) {
            seen = deliveries;
            give_up_at = now_s() + opt.last_wait_ms / 1e3;
        } else if (now_s() > give_up_at) {
            break;
        }
    }
    /* A duplicate may arrive last. */
    run_for(0.05);
    check_end();
    if (opt.ids && acknowledged < (long)messages) lost += messages - acknowledged;
}

/* --- reporting -------------------------------------------------------------------------------- */

static void report(struct meter from, struct meter to) {
    double wall = to.wall - from.wall;
    uint64_t count = to.deliveries - from.deliveries;
    double own_cpu = to.own_cpu - from.own_cpu, server_cpu = to.server_cpu - from.server_cpu;
    double used = sysconf(_SC_NPROCESSORS_ONLN) * wall - (to.idle - from.idle);
    double others = used - own_cpu - server_cpu;
    printf("{\"seconds\":%.4f,\"deliveries\":%lu,\"messages\":%lu,\"cpu_s\":%.4f,"
           "\"switches\":%ld,\"busy\":%.3f,\"others\":%.3f,\"clients\":%ld,\"lost\":%lu,\"twice\":%lu,"
           "\"disordered\":%lu",
           wall, count, to.messages - from.messages, server_cpu, to.switches - from.switches,
           own_cpu / wall, others > 0 ? others / wall : 0, client_count, lost, twice, disordered);
}

static void report_latencies(const char *suffix) {
    printf(",\"p50_ms%s\":%.4f,\"p99_ms%s\":%.4f,\"p999_ms%s\":%.4f,\"max_ms%s\":%.4f", suffix,
           latency_ms(0.5), suffix, latency_ms(0.99), suffix, latency_ms(0.999), suffix,
           latency_ms(1.0));
}

/* --- the workloads ---------------------------------------------------------------------------- */

static void run_closed_loop(void) {
    run_for(opt.warmup_ms / 1e3);
    struct meter from = meter_read();
    run_for(opt.measure_ms / 1e3);
    /* On a very busy machine a short measurement could end before anything was delivered. */
    double give_up_at = now_s() + opt.last_wait_ms / 1e3;
    while (deliveries == from.deliveries && now_s() < give_up_at) turn(give_up_at);
    struct meter to = meter_read();
    wait_for_rest();
    report(from, to);
}

static void fanout(void) {
    come(0, client_count);
    for (long i = 0; i < opt.window; i++) say_next(0);
    run_closed_loop();
}

/* Random pairs, so that only some have both clients in the same thread of the server. */
static void direct(void) {
    long pairs = opt.senders;
    receiver_of = calloc(pairs, sizeof *receiver_of);
    srand(1);
    for (long i = 0; i < pairs; i++) {
        long j = rand() % (i + 1);
        receiver_of[i] = receiver_of[j];
        receiver_of[j] = pairs + i;
    }
    come(0, client_count);
    for (long i = 0; i < pairs; i++) say(i, 0);
    run_for(opt.warmup_ms / 1e3);
    struct meter from = meter_read();
    run_for(opt.measure_ms / 1e3);
    struct meter to = meter_read();
    stopping = true;
    double give_up_at = now_s() + opt.last_wait_ms / 1e3;
    while (in_flight && now_s() < give_up_at) turn(give_up_at);
    lost += in_flight;
    report(from, to);
}

static void paced(void) {
    opt.window = 0;
    come(0, client_count);
    run_paced(opt.warmup_ms / 1e3, say_next);
    timed = true;
    struct meter from = meter_read();
    run_paced(opt.measure_ms / 1e3, say_next);
    struct meter to = meter_read();
    wait_for_rest();
    report(from, to);
    report_latencies("");
}

static void burst(void) {
    opt.window = 0;
    come(0, client_count);
    run_paced(opt.warmup_ms / 1e3, say_next);
    timed = true;
    struct meter from = meter_read();
    run_paced(opt.measure_ms / 1e3, say_next);
    struct meter to = meter_read();
    double p50 = latency_ms(0.5), p99 = latency_ms(0.99), max = latency_ms(1.0);
    latency_reset();
    for (long i = 0; i < opt.newcomers; i++) open_client(client_count + i);
    run_paced(BURST_S, say_next);
    long still_coming = client_count + opt.newcomers - present_count;
    wait_for_rest();
    report(from, to);
    printf(",\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"max_ms\":%.4f,\"still_coming\":%ld", p50, p99, max,
           still_coming);
    report_latencies("_burst");
}

static void connect_all(void) {
    struct meter from = meter_read();
    come(0, client_count);
    struct meter to = meter_read();
    run_for(SETTLE_S); /* for events still on their way to the first clients */
    struct meter after = meter_read();
    report(from, to);
    printf(",\"resident_kb\":%ld,\"cpu_all_s\":%.4f", after.resident_kb - from.resident_kb,
           after.server_cpu - from.server_cpu);
}

static void idle(void) {
    come(0, client_count);
    run_for(SETTLE_S);
    struct meter from = meter_read();
    run_for(opt.measure_ms / 1e3);
    struct meter to = meter_read();
    report(from, to);
}

/* Of 100 actions, 80 send a message, 14 change a status, and 6 leave and later come back. */
static void act(double due) {
    for (long i = 0; i < opt.senders; i++) {
        struct client *c = &clients[i];
        if (c->state == ABSENT) open_client(i);
    }
    struct client *c = &clients[rand() % opt.senders];
    long dice = rand() % 100;
    if (c->state != PRESENT) return;
    if (dice < 80) {
        say(c->index, due);
    } else if (dice < 94) {
        char line[MAX_LINE];
        queue(c, line, wire->status(line, rand()));
    } else {
        queue(c, wire->quit, strlen(wire->quit));
        c->state = LEAVING;
        present_count--;
    }
}

static void mixed(void) {
    opt.window = 0;
    srand(1);
    come(0, client_count);
    run_paced(opt.warmup_ms / 1e3, act);
    timed = true;
    struct meter from = meter_read();
    run_paced(opt.measure_ms / 1e3, act);
    struct meter to = meter_read();
    wait_for_rest();
    report(from, to);
    report_latencies("");
}

static const struct { const char *name; void (*run)(void); } workloads[] = {
    {"fanout", fanout}, {"direct", direct}, {"paced", paced}, {"burst", burst},
    {"connect", connect_all}, {"idle", idle}, {"mixed", mixed},
};

void run_workload(void) {
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++) {
        if (strcmp(workloads[i].name, opt.workload)) continue;
        if (workloads[i].run == mixed && !wire->status) fail("%s has no status", wire->name);
        check_begin();
        workloads[i].run();
        printf("}\n");
        return;
    }
    fail("no such workload: %s", opt.workload);
}
