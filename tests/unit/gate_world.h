/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A gate without EAL: its frontend is a socket of the test, and so is its library, which says what the
 * test tells it to. The port is a record of what the gate reported.
 */
#ifndef TESTS_UNIT_GATE_WORLD_H
#define TESTS_UNIT_GATE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "gate/gate.h"
#include "gate/vhost_msg.h"

/* What the port has heard, and how it behaves. */
struct gate_world {
	struct event_base *base;
	struct gate *gate;
	char path[100];
	bool holds_quiesce; /* the port does not answer a quiesce; the test calls gate_quiesced() */

	uint32_t attached, updated, detached;
	uint32_t quiesced; /* asked for quiescence ... */
	uint32_t mask;	   /* ... of these rings, the last time */
	bool at_fault;
	char fault[256];
	bool gone; /* the gate was freed */

	/* The library. */
	bool is_full; /* it gives no connection */
	uint32_t connections, closed;
	int library; /* the library's end of the last connection; -1: none */
};

extern struct gate_world world;

/* cmocka's setup and teardown of a test. */
int gate_world_open(void **state);
int gate_world_close(void **state);

/* Runs the event loop until `done` says so; fails the test after ten seconds. */
void gate_world_run(bool (*done)(void));

/* A frontend that has connected. */
int gate_world_connect(void);

/* Sends a message of a frontend or of the library, without a descriptor. */
void gate_world_send(int fd, const struct vhost_msg *msg);

/* Runs the loop until a whole message is there, and reads it. */
void gate_world_receive(int fd, struct vhost_msg *msg);

/* Runs the loop until the other end of the connection is gone. */
void gate_world_see_end(int fd);

#endif
