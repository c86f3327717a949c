/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each port costs the workers, and what follows from it.
 *
 * Time is charged to the port whose memory or descriptor it was spent on: taking and giving back a
 * burst to the sender, placing frames and calling to the receiver. Most stretches are short, and
 * are only summed up. A stretch of over ACCOUNT_SLOW_US is judged (thread_time.h):
 *
 *   the thread worked    the port was slow. A little of that is allowed; beyond it the port rests
 *                        four times as long, more when that repeats
 *   the thread waited    the port stalled the worker inside the kernel: it rests 0.1 s, doubling;
 *                        but another port's doing (memory being unmapped, reclaimed, swapped) can
 *                        make anybody wait, so short waits count as slow work, and a port whose
 *                        neighbours waited too is let off
 *   neither              the machine gave the CPU to others: nobody's fault
 *
 * A port that rests is left alone: its frames wait in its transmitq, and frames for it are dropped
 * and counted ("resting"). Rests and what led to them outlive sessions. Only what repeats is a
 * fault of the port, in words.
 *
 * Placing a frame reads the sender's memory and writes the receiver's, so a slow stretch there may
 * be either's fault. The sender is suspected first: for a while its frames are copied to the
 * worker's own memory when they are taken (burst_private.h), in a stretch that is charged to the
 * sender alone, and what is slow after that is the receiver's doing. Suspicion costs a copy and
 * nothing else.
 *
 * Ports with a stranger behind them (vhost-user) are judged; the kernel and devices are not, since
 * they are the host's own, and are only accounted for.
 *
 * One record a port id, never freed, so that any thread may look at it at any time. Workers write
 * as the fields say; the control thread reads.
 */
#ifndef VSWITCH_ACCOUNT_H
#define VSWITCH_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/shared_name.h"
#include "base/switch_limits.h"
#include "base/thread_time.h"

/* A stretch of work for one port that takes longer is judged. */
#define ACCOUNT_SLOW_US 1000

enum account_fault {
	ACCOUNT_SOUND,
	ACCOUNT_FAULT_SLOW,  /* slow again and again */
	ACCOUNT_FAULT_STALL, /* stalled the worker again and again */
	ACCOUNT_FAULT_CALL,  /* its call descriptor is slow again and again */
	ACCOUNT_FAULT_HELD,  /* a worker stood still at it: the watchdog */
};

struct account {
	/* Any worker. TSC cycles. What frames of the port cost stands in its sources (endpoint.h). */
	uint64_t placing; /* frames put into its memory, and calls */
	/* Any worker and the caller, atomically; seldom written from here on. TSC cycles and times. */
	uint64_t trouble_until __attribute__((aligned(64))); /* the later of the next two */
	uint64_t rest_until;
	uint64_t suspect_until; /* may be why a receiver was slow: its frames are copied first */
	uint64_t calling;	/* writes to call descriptors */
	uint32_t fault;		/* enum account_fault; cleared by the control thread */
	/* For people: counts since the port was added. */
	uint32_t slow_turns;
	uint32_t stalls;
	uint64_t stalled; /* cycles in stalls */
	uint64_t rested;  /* cycles of rests, those to come included */
	/* How often lately. */
	uint32_t slow_recently;
	uint32_t stalls_recently;
	uint64_t slow_since; /* the first of those */
	uint64_t last_slow;
	uint64_t slow_debt; /* of what the port may be slow by */
	uint64_t last_stall;
	uint64_t stall_window;	 /* when a sum of stalls was begun ... */
	uint64_t stalled_in_it;	 /* ... and that sum */
	struct shared_name name; /* the port's; writer: control */
} __attribute__((aligned(64)));

extern struct account accounts[PORTS_MAX];

/* Cycles of ACCOUNT_SLOW_US; constant after account_init(). */
extern uint64_t account_slow;

/* Before the workers start. */
void account_init(uint64_t tsc_hz);

/* Control thread: a port with this id is made; nothing is held against it. */
void account_reset(uint16_t port, const char *name);

/* The name of the port that has or had this id. Any thread. */
void account_name(uint16_t port, char name[SHARED_NAME_SIZE]);

/* Whether one of the next two may say yes: the one look that a port without trouble costs. */
static inline bool
account_has_trouble(uint16_t port, uint64_t now)
{
	return __atomic_load_n(&accounts[port].trouble_until, __ATOMIC_RELAXED) > now;
}

static inline bool
account_rests(uint16_t port, uint64_t now)
{
	return __atomic_load_n(&accounts[port].rest_until, __ATOMIC_RELAXED) > now;
}

static inline bool
account_is_suspect(uint16_t port, uint64_t now)
{
	return __atomic_load_n(&accounts[port].suspect_until, __ATOMIC_RELAXED) > now;
}

/* Adds to a field that the calling thread alone writes. */
static inline void
account_add(uint64_t *field, uint64_t cycles)
{
	__atomic_store_n(field, *field + cycles, __ATOMIC_RELAXED);
}

/* Adds to a field that several threads write. */
static inline void
account_add_shared(uint64_t *field, uint64_t cycles)
{
	(void)__atomic_fetch_add(field, cycles, __ATOMIC_RELAXED);
}

/* Whether a stretch that was judged is anybody's doing. */
static inline bool
account_is_slow(const struct thread_time *time)
{
	return time->worked > account_slow || time->waited > account_slow / 2;
}

/* The port's own memory made the stretch that ended at `now` (TSC) slow. Any worker. */
void account_judge(uint16_t port, const struct thread_time *time, uint64_t now);

/* It may be this sender's memory that made the placing of its frames slow. Any worker. */
void account_suspect(uint16_t port, uint64_t now);

/*
 * A write to the port's call descriptor took `cycles` of the thread's work and was slow; the
 * `repeated` one of several without a fast one between. Returns for how many cycles no further
 * call should be made. Any worker and the caller.
 */
uint64_t account_slow_call(uint16_t port, uint64_t cycles, uint32_t repeated);

/*
 * How many cycles of slow calls the calling thread has seen since it last asked: the stretch in
 * which they lie is judged without them.
 */
uint64_t account_judged_already(void);

/* The watchdog: a worker stands still at the port. Any thread; takes no lock. */
void account_held(uint16_t port);

/* Control thread: the fault that was found, once, or ACCOUNT_SOUND. */
enum account_fault account_take_fault(uint16_t port);

/* In words, behind "port NAME: fault: ". */
const char *account_fault_text(enum account_fault fault);

/* What people are shown of a port. Control thread. */
struct account_info {
	double placing_s, calling_s; /* seconds of the workers' time */
	double rest_s;		     /* how long it rests from now on; 0: it does not */
	double stalled_s, rested_s;
	uint32_t slow_turns, stalls;
};

void account_info(uint16_t port, struct account_info *info);

/* TSC cycles in seconds. After account_init(). */
double account_seconds(uint64_t cycles);

#endif
