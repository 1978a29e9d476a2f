#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

/*
 * One process of the generator: its share of the clients, in three steps, each of
 * which begins when the parent says so (one byte on control) and is reported done
 * (one byte back). In between it serves its clients: pings are answered, and a
 * close that nobody had asked for is noticed.
 */

#include "bench/plan.h"
#include "bench/tally.h"

/* A worker's share of the plan. */
struct share {
	uint32_t first, clients; /* numbers first … first + clients - 1 */
	int64_t in_flight, rate, message_rate, connecting;
	uint64_t seed;
	int64_t end_us; /* the deadline, on crowd_now_us()'s clock */
};

/* Open all connections, exchange all messages, close all; returns when the parent hangs up, too. */
void worker_run(const struct plan *p, const struct share *s, struct tally *t,
		int control);

#endif
