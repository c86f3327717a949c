/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The gate of a vhost-user port stands between a frontend, which may be hostile, and the vhost library.
 *
 * It owns the port's public socket (it listens, or connects with back-off where the frontend is
 * the server), admits one frontend at a time, reads whole messages without ever blocking, checks
 * each against the table in vhost_msg.c and the session so far, relays good messages to the library
 * in lock-step (one message, its reply, then the next), and replies to the frontend.
 *
 * Control thread only, on its libevent loop. Reports upward through struct gate_ops.
 */
#ifndef VSWITCH_GATE_H
#define VSWITCH_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "session.h"
#include "library/vhost_lib.h"
#include "system/socket_peer.h"

struct event_base;
struct gate;

struct gate_ops {
	/* A frontend was admitted. Its connection to the library is made with its first message for it. */
	void (*attached)(void *port, const struct socket_peer *peer);
	/*
	 * The message at hand changes what workers use of the rings in `vring_mask` (bit n: ring n).
	 * Stop them, wait for the workers, give the library the cursors (vhost_conn_set_cursor), then
	 * call gate_quiesced(), at once or later. Also called for all rings before a session is closed.
	 * Every quiesce gets exactly one gate_quiesced(); only one is ever outstanding.
	 */
	void (*quiesce)(void *port, uint32_t vring_mask);
	/* The frontend says that this MAC address moved behind the port (SEND_RARP after a migration). */
	void (*announced)(void *port, const uint8_t mac[6]);
	/* A message was accepted or refused, and gate_session() is up to date. */
	void (*updated)(void *port);
	/*
	 * The frontend is gone and its connection to the library closed; gate_session() is empty.
	 * `fault` says which rule it broke; NULL: it left by itself, or the gate is being destroyed.
	 * Called exactly once after each `attached`.
	 */
	void (*detached)(void *port, const char *fault);

	/* The library's reports on the session at hand; see struct vhost_conn_ops. */
	void (*memory)(void *port, const struct guest_mem *mem);
	void (*vring_state)(void *port, uint32_t index, bool on);
	void (*device_state)(void *port, bool running);
};

struct gate_config {
	const char *name; /* the port's, for log lines */
	const char *path; /* public socket, at most 107 bytes */
	bool connect;	  /* the frontend serves the socket */
	bool offload;	  /* offer checksum and segmentation offloads */
	uint32_t mtu;	  /* the largest that a frontend may ask for */
	mode_t mode;	  /* listening: mode, owner and group of the socket file */
	uid_t owner;	  /* (uid_t)-1: unchanged */
	gid_t group;	  /* (gid_t)-1: unchanged */
	const struct vhost_library *library;
};

/*
 * Listens or begins to connect; no op is called before the event loop runs. A socket file that no
 * program serves is replaced. If a program serves it, gate_create() fails and names its pid and name.
 * NULL with a message in `err` (errno set), without what was asked for: "cannot listen on PATH: a
 * program (pid 812, ovs-vswitchd) already does; choose another name or stop it".
 */
struct gate *gate_create(struct event_base *base, const struct gate_config *config,
		const struct gate_ops *ops, void *port, char *err, size_t err_size);

/*
 * Changes mode, owner and group of a listening socket: all or nothing. 0, or -errno with a message in
 * `err`; -ENOTSUP where the frontend serves the socket.
 */
int gate_set_access(struct gate *gate, mode_t mode, uid_t owner, gid_t group, char *err,
		size_t err_size);

/* Whether frontends that attach from now on are offered offloads. */
void gate_set_offload(struct gate *gate, bool offload);

/* The largest MTU that a frontend may ask for from now on. */
void gate_set_mtu(struct gate *gate, uint32_t mtu);

/* The reply to gate_ops.quiesce: no worker uses the rings any more, and the gate goes on. */
void gate_quiesced(struct gate *gate);

/*
 * While a quiesce is outstanding: whether the library will then unmap the session's memory, because
 * the session ends or has a new memory table.
 */
bool gate_drops_memory(const struct gate *gate);

/* The log bucket for lines that the port's frontends cause. */
struct log_bucket *gate_log(struct gate *gate);

/* The session at hand; an empty one when there is none. */
const struct session *gate_session(const struct gate *gate);
struct vhost_conn *gate_conn(const struct gate *gate);	      /* NULL when no session */
const struct socket_peer *gate_peer(const struct gate *gate); /* NULL when none is attached */

/* Connections that were closed at once because a frontend was attached already. */
uint64_t gate_rejected(const struct gate *gate);

/* Why this session's last refused message was refused; "" when none was. */
const char *gate_refusal(const struct gate *gate);

/*
 * Milliseconds until the next frontend is admitted, because sessions of this port end in fault again
 * and again; 0: at once. A frontend that comes earlier waits. gate_rest_faults(): how many faults in a row.
 */
uint32_t gate_rest_ms(const struct gate *gate);
uint32_t gate_rest_faults(const struct gate *gate);

/*
 * True when a listening gate cannot accept frontends now (no descriptors, no memory). `text` then says
 * why, and the remedy.
 */
bool gate_listen_trouble(const struct gate *gate, char *text, size_t size);

/* Why connect() has not succeeded yet, and when the next attempt is; "" otherwise. */
void gate_connect_state(const struct gate *gate, char *text, size_t size);

/*
 * The port found a fault of the frontend's (a broken ring, say): ends its session with this text.
 * The session ends from the event loop; no op is called in here. Does nothing when there is no
 * session or it is ending already.
 */
void gate_fault(struct gate *gate, const char *text);

/*
 * Stops listening and removes the socket file at once. Ends the session, which asks the port to
 * quiesce. Then frees the gate from the event loop and calls `done` once.
 */
void gate_destroy(struct gate *gate, void (*done)(void *arg), void *arg);

#endif
