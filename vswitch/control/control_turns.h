/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose turn it is: the clients of the control socket that have work share the control thread with
 * each other and with the gates. Control thread; used by control_client.c.
 *
 * In each turn of the event loop, when the gates' events have been taken, one client works for
 * CONTROL_TURN_NS: the one that has used the least time so far; each fourth time the one that has
 * waited longest. So who asks for little is served at once, whatever others ask for, and nobody
 * waits for ever because new clients come all the time. A step that cannot be divided may take
 * longer (reading a line of 1 MiB); then the time over is a pause, in which no client works and a
 * handshake goes on undisturbed.
 */
#ifndef VSWITCH_CONTROL_TURNS_H
#define VSWITCH_CONTROL_TURNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define CONTROL_TURN_NS 1000000

struct event_base;

struct control_turn {
	TAILQ_ENTRY(control_turn) link;
	bool waiting;	  /* for its turn */
	uint64_t used_ns; /* of the CPU, beyond what one that begins now has */
	/* Works until `end_ns` (CLOCK_MONOTONIC) or there is no work. True: there is more. */
	bool (*take)(struct control_turn *turn, uint64_t end_ns);
};

/* 0 or -ENOMEM. */
int control_turns_start(struct event_base *base);
void control_turns_stop(void);

/* There is work: `take` is called from the event loop. */
void control_turns_want(struct control_turn *turn);

/* There is none any more. */
void control_turns_leave(struct control_turn *turn);

#endif
