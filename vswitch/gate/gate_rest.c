/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rest of a port whose sessions end in fault again and again. A fault can cost some milliseconds
 * of a worker's time, and a frontend that comes back at once could cause hundreds a second. The first
 * fault brings no rest, because a program that is started anew is to be served. Each further one
 * doubles the time until the next frontend is admitted. Only REST_FORGET_S without a fault end the
 * series; leaving and coming back does not. Control thread, by the gate.
 */
#include "gate_internal.h"

#include "base/clock.h"

#define REST_MIN_MS 100
#define REST_MAX_MS 5000
#define REST_FORGET_S 30

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull

static void
on_over(evutil_socket_t unused, short what, void *arg)
{
	struct gate *gate = arg;

	(void)unused;
	(void)what;
	gate->rest.until_ns = 0; /* the timer may be some microseconds early */
	gate_defer(gate);
}

void
gate_rest_init(struct gate *gate)
{
	event_assign(&gate->rest.over, gate->base, -1, 0, on_over, gate);
}

/* 0 after the first fault, then 100, 200, ... 5,000 ms. */
static uint32_t
delay_ms(uint32_t faults)
{
	uint32_t delay = REST_MIN_MS;

	if (faults < 2)
		return 0;
	while (--faults > 1 && delay < REST_MAX_MS)
		delay *= 2;
	return delay < REST_MAX_MS ? delay : REST_MAX_MS;
}

void
gate_rest_count_fault(struct gate *gate)
{
	struct gate_rest *rest = &gate->rest;
	uint64_t now = clock_ns();
	uint32_t delay;
	struct timeval tv;

	if (rest->faults != 0 && now - rest->last_ns > REST_FORGET_S * NS_PER_S)
		rest->faults = 0;
	rest->faults++;
	rest->last_ns = now;
	delay = delay_ms(rest->faults);
	rest->until_ns = now + delay * NS_PER_MS;
	tv = (struct timeval){ .tv_sec = delay / 1000, .tv_usec = delay % 1000 * 1000L };
	if (delay != 0)
		event_add(&rest->over, &tv);
}

void
gate_rest_stop(struct gate *gate)
{
	event_del(&gate->rest.over);
}

uint32_t
gate_rest_ms(const struct gate *gate)
{
	uint64_t now = clock_ns();

	return gate->rest.until_ns > now
			? (uint32_t)((gate->rest.until_ns - now + NS_PER_MS - 1) / NS_PER_MS)
			: 0;
}

uint32_t
gate_rest_faults(const struct gate *gate)
{
	return gate->rest.faults;
}
