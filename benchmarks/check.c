/* The checker: verifies every delivery; measures latencies and the CPU of the server and of itself.
 *
 * A payload consists of a mark, the sender, the number of the sender's message, and padding.
 * Numbers are written as letters, one for each nibble: they are cheap to read, and no protocol
 * has to escape them.
 */
#define _GNU_SOURCE
#include "load.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MARK = 3, SENDER = 4, SEQ = 8 }; /* lengths in the payload */
enum { DUE_RING = 4096 };               /* due times kept for each sender */
enum { MAX_MISSED = 4096 };             /* missed messages kept, to recognise late ones */
enum { MAX_LATENCY_US = 4000000 };
static const char MARKED[MARK] = {'#', '~', '#'};
/* The receiver has just joined: its first message may be any that was under way at that time. */
static const uint32_t FIRST = 1u << 31;

uint64_t deliveries, messages, lost, twice, disordered;
static uint32_t *expected; /* the next number, for every receiver and every sender */
static uint32_t *sent;     /* messages of every sender */
static double *due;
static struct { int receiver, sender; uint32_t seq; } missed[MAX_MISSED];
static int missed_count;
static uint32_t *latencies; /* number of deliveries by microseconds */
static uint64_t latency_count;
static double worst;

void check_begin(void) {
    expected = calloc((client_count + opt.newcomers) * opt.senders, sizeof *expected);
    sent = calloc(opt.senders, sizeof *sent);
    due = calloc(opt.senders * DUE_RING, sizeof *due);
    latencies = calloc(MAX_LATENCY_US + 1, sizeof *latencies);
    if (!expected || !sent || !due || !latencies) fail("out of memory");
}

void check_present(int receiver) {
    for (int i = 0; i < opt.senders; i++) expected[receiver * opt.senders + i] = sent[i] | FIRST;
}

uint32_t check_sent(int sender, double when) {
    due[sender * DUE_RING + sent[sender] % DUE_RING] = when;
    messages++;
    return sent[sender]++;
}

double due_at(int sender, uint32_t seq) { return due[sender * DUE_RING + seq % DUE_RING]; }

/* --- payloads --------------------------------------------------------------------------------- */

static void write_number(char *to, uint32_t number, int letters) {
    while (letters--) {
        to[letters] = 'a' + (number & 15);
        number >>= 4;
    }
}

static uint32_t read_number(const char *from, int letters) {
    uint32_t number = 0;
    for (int i = 0; i < letters; i++) number = number << 4 | ((from[i] - 'a') & 15);
    return number;
}

void write_payload(char *to, int sender, uint32_t seq) {
    memset(to, 'x', PAYLOAD);
    memcpy(to, MARKED, MARK);
    write_number(to + MARK, sender, SENDER);
    write_number(to + MARK + SENDER, seq, SEQ);
}

bool is_payload(const char *at) { return !memcmp(at, MARKED, MARK); }

/* --- deliveries ------------------------------------------------------------------------------- */

static void miss(int receiver, int sender, uint32_t from, uint32_t to) {
    lost += to - from;
    for (uint32_t seq = from; seq < to && missed_count < MAX_MISSED; seq++) {
        missed[missed_count].receiver = receiver;
        missed[missed_count].sender = sender;
        missed[missed_count++].seq = seq;
    }
}

/* Return whether an old number is that of a missed message, which has now arrived after all. */
static bool was_missed(int receiver, int sender, uint32_t seq) {
    for (int i = 0; i < missed_count; i++)
        if (missed[i].receiver == receiver && missed[i].sender == sender && missed[i].seq == seq) {
            missed[i] = missed[--missed_count];
            return true;
        }
    return false;
}

bool check_delivery(int receiver, const char *payload, int *sender, uint32_t *seq) {
    *sender = read_number(payload + MARK, SENDER);
    *seq = read_number(payload + MARK + SENDER, SEQ);
    if (*sender >= opt.senders || *seq >= sent[*sender] || payload[PAYLOAD - 1] != 'x')
        fail("client %d got a message that nobody sent: %.*s", receiver, PAYLOAD, payload);
    if (clients[receiver].state == COMING) return false; /* it need not get anything yet */
    uint32_t *next = &expected[receiver * opt.senders + *sender];
    if (*seq != *next) {
        if (*next & FIRST) {
            if (*seq > (*next & ~FIRST)) miss(receiver, *sender, *next & ~FIRST, *seq);
        } else if (*seq > *next) {
            miss(receiver, *sender, *next, *seq);
        } else if (was_missed(receiver, *sender, *seq)) {
            lost--;
            disordered++;
            deliveries++;
            return true;
        } else {
            twice++;
            return false;
        }
    }
    *next = *seq + 1;
    deliveries++;
    return true;
}

static uint32_t outstanding(int receiver, int sender) {
    if (clients[receiver].state != PRESENT || (!wire->echoes && receiver == sender)) return 0;
    return sent[sender] - (expected[receiver * opt.senders + sender] & ~FIRST);
}

bool all_delivered(void) {
    for (int receiver = 0; receiver < client_count + opt.newcomers; receiver++)
        for (int sender = 0; sender < opt.senders; sender++)
            if (outstanding(receiver, sender)) return false;
    return true;
}

void check_end(void) {
    for (int receiver = 0; receiver < client_count + opt.newcomers; receiver++)
        for (int sender = 0; sender < opt.senders; sender++) lost += outstanding(receiver, sender);
}

/* --- measuring -------------------------------------------------------------------------------- */

void latency_add(double seconds) {
    double us = seconds * 1e6;
    latencies[us < 0 ? 0 : us < MAX_LATENCY_US ? (int)us : MAX_LATENCY_US]++;
    latency_count++;
    if (seconds > worst) worst = seconds;
}

void latency_reset(void) {
    memset(latencies, 0, (MAX_LATENCY_US + 1) * sizeof *latencies);
    latency_count = 0;
    worst = 0;
}

double latency_ms(double quantile) {
    uint64_t rank = quantile * latency_count, count = 0;
    if (rank >= latency_count) return worst * 1e3;
    for (int us = 0; us <= MAX_LATENCY_US; us++) {
        count += latencies[us];
        if (count > rank) return (us + 0.5) / 1e3;
    }
    return worst * 1e3;
}

/* Return the sum of the numbers after a label in a file of /proc. */
static long read_label(const char *path, const char *label) {
    char line[256];
    long sum = 0;
    size_t len = strlen(label);
    FILE *file = fopen(path, "r");
    if (!file) return 0; /* the thread has ended in the meantime */
    while (fgets(line, sizeof line, file)) {
        const char *at = strstr(line, label);
        if (at) sum += atol(at + len);
    }
    fclose(file);
    return sum;
}

static long count_switches(void) {
    char path[300];
    long sum = 0;
    snprintf(path, sizeof path, "/proc/%ld/task", opt.pid);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        if (task->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%ld/task/%s/status", opt.pid, task->d_name);
        sum += read_label(path, "ctxt_switches:"); /* voluntary and nonvoluntary */
    }
    if (tasks) closedir(tasks);
    return sum;
}

/* Return the seconds for which the cores had nothing to do, since the machine was started. */
static double idle_s(void) {
    long long idle = 0, waiting = 0;
    FILE *file = fopen("/proc/stat", "r");
    if (!file || fscanf(file, "cpu %*d %*d %*d %lld %lld", &idle, &waiting) != 2)
        fail("cannot read /proc/stat");
    fclose(file);
    return (double)(idle + waiting) / sysconf(_SC_CLK_TCK);
}

struct meter meter_read(void) {
    struct meter m = {.deliveries = deliveries, .messages = messages};
    if (opt.pid) {
        clockid_t clock;
        struct timespec time;
        char path[64];
        if (clock_getcpuclockid(opt.pid, &clock) || clock_gettime(clock, &time))
            fail("the server has ended");
        m.server_cpu = time.tv_sec + time.tv_nsec * 1e-9;
        m.switches = count_switches();
        snprintf(path, sizeof path, "/proc/%ld/status", opt.pid);
        m.resident_kb = read_label(path, "VmRSS:");
    }
    struct timespec own;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    m.own_cpu = own.tv_sec + own.tv_nsec * 1e-9;
    m.idle = idle_s();
    m.wall = now_s();
    return m;
}
