/* SPDX-License-Identifier: BSD-3-Clause */
/* How long a frame takes through a backend that sleeps, and how soon after attaching one arrives. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "raw_bench.h"
#include "raw_clock.h"

#define LOST_AFTER 1.0
#define FIRST_LIMIT 20.0
#define FIRST_INTERVAL 100e-6

static uint32_t
receive(struct bench *bench)
{
	uint64_t bytes = 0;

	raw_rx_take(&bench->ports[0], false, &bytes);
	return raw_rx_take(&bench->ports[1], false, &bytes);
}

static void
send_one(struct bench *bench)
{
	struct raw_port *port = &bench->ports[0];

	raw_tx_put(&port->tx, port->tx.avail_idx, bench->lengths[0]);
	raw_put_addresses(raw_tx_frame(port, 0), 1, 0, 0, 0);
	raw_offer(&port->tx, 1);
}

/* Seconds until the frame came; negative: it did not. */
static double
time_one(struct bench *bench)
{
	double start, now;

	while (receive(bench) > 0)
		; /* late ones are no answer to this one */
	if (raw_tx_free(&bench->ports[0]) == 0)
		return -1;
	start = now = raw_now();
	send_one(bench);
	while (now - start < LOST_AFTER) {
		uint32_t n = receive(bench);

		now = raw_now();
		if (n > 0)
			return now - start;
	}
	return -1;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
percentile(const double *sorted, uint32_t n, double share)
{
	return n > 0 ? 1e6 * sorted[(uint32_t)(share * (n - 1) + 0.5)] : 0;
}

double *
raw_make_times(uint32_t count)
{
	double *times = calloc(count, sizeof(*times));

	if (times == NULL)
		fprintf(stderr, "raw-bench: no memory for %u times; give --count less\n", count);
	return times;
}

void
raw_print_times(double *times, uint32_t n, uint32_t count)
{
	qsort(times, n, sizeof(*times), compare);
	printf("{\"count\": %u, \"lost\": %u, \"min_us\": %.2f, \"p50_us\": %.2f, \"p90_us\": %.2f, "
	       "\"p99_us\": %.2f, \"max_us\": %.2f}\n",
			n, count - n, percentile(times, n, 0), percentile(times, n, 0.5),
			percentile(times, n, 0.9), percentile(times, n, 0.99),
			percentile(times, n, 1));
}

int
raw_wake(struct bench *bench)
{
	double *times = raw_make_times(bench->count);
	uint32_t n = 0;

	if (times == NULL || raw_introduce(bench) < 0) {
		free(times);
		return -1;
	}
	for (uint32_t i = 0; i < bench->count; i++) {
		double seconds;

		raw_sleep(bench->pause);
		seconds = time_one(bench);
		if (seconds >= 0)
			times[n++] = seconds;
	}
	raw_print_times(times, n, bench->count);
	free(times);
	return 0;
}

int
raw_first(struct bench *bench)
{
	double attached = raw_now(), now = attached, next = attached;
	uint32_t n = 0;

	while (n == 0) {
		if (now - attached > FIRST_LIMIT) {
			fprintf(stderr, "raw-bench: no frame came within %.0f s\n", FIRST_LIMIT);
			return -1;
		}
		if (now >= next && raw_tx_free(&bench->ports[0]) > 0) {
			send_one(bench);
			next = now + FIRST_INTERVAL;
		}
		n = receive(bench);
		now = raw_now();
	}
	printf("{\"attach_seconds\": %.6f, \"first_frame_seconds\": %.6f}\n",
			attached - bench->opened_at, now - bench->opened_at);
	return 0;
}
