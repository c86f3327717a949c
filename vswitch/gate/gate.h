/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The gate of a vhost-user port: between a frontend that may be hostile and the vhost library.
 *
 * It owns the port's public socket (it listens, or connects with back-off where the frontend is
 * the server), admits one frontend at a time, reads whole messages without ever blocking, checks
 * each against the table in vhost_msg.c and the session so far, relays what is good to the library
 * in lock-step (one message, its answer, then the next), and answers the frontend.
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
	/* A frontend was admitted; a session with the library is being made for it. */
	void (*attached)(void *port, const struct socket_peer *peer);
	/*
	 * The message at hand changes what workers use of the rings in `vring_mask` (bit n: ring n).
	 * Stop them, wait for the workers, give the library the cursors (vhost_conn_set_cursor), then
	 * call gate_quiesced(), at once or later. Asked before a session is closed as well, for all.
	 * Each is answered by exactly one gate_quiesced(), and none is asked while one is unanswered.
	 */
	void (*quiesce)(void *port, uint32_t vring_mask);
	/* A station moved behind the port, says the frontend (SEND_RARP after a migration). */
	void (*announced)(void *port, const uint8_t mac[6]);
	/* A message was dealt with (accepted or refused) and gate_session() is up to date. */
	void (*updated)(void *port);
	/*
	 * The frontend is gone and its connection to the library closed; gate_session() is empty.
	 * `fault` says in words which rule it broke, NULL when it left by itself or the gate is
	 * being destroyed. Always comes once after `attached`.
	 */
	void (*detached)(void *port, const char *fault);

	/* The library's reports of the session at hand; see struct vhost_conn_ops. */
	void (*memory)(void *port, const struct guest_mem *mem);
	void (*vring_state)(void *port, uint32_t index, bool on);
	void (*device_state)(void *port, bool running);
};

struct gate_config {
	const char *name; /* the port's, for log lines */
	const char *path; /* public socket, at most 107 bytes */
	bool connect;	  /* the frontend serves the socket */
	bool offload;	  /* offer checksum and segmentation offloads */
	uint32_t mtu;	  /* the most that a frontend may ask for */
	mode_t mode;	  /* listening: mode, owner and group of the socket file */
	uid_t owner;	  /* (uid_t)-1: unchanged */
	gid_t group;	  /* (gid_t)-1: unchanged */
	const struct vhost_library *library;
};

/*
 * Listens or begins to connect; no op is called before the event loop runs. A socket file that
 * nobody serves is replaced; one that a living program serves is refused with its pid and name.
 * NULL with words in `err` (errno set), to stand behind what was asked for: "cannot listen on
 * PATH: a program (pid 812, ovs-vswitchd) already does; choose another name or stop it".
 */
struct gate *gate_create(struct event_base *base, const struct gate_config *config,
		const struct gate_ops *ops, void *port, char *err, size_t err_size);

/*
 * Changes mode, owner and group of a listening socket: all or nothing. 0 or -errno with words;
 * -ENOTSUP where the frontend serves the socket.
 */
int gate_set_access(struct gate *gate, mode_t mode, uid_t owner, gid_t group, char *err,
		size_t err_size);

/* Whether offloads are offered to the frontends that come from now on. */
void gate_set_offload(struct gate *gate, bool offload);

/* The most that a frontend may ask for from now on. */
void gate_set_mtu(struct gate *gate, uint32_t mtu);

/* The rings are quiet: go on with what waited for that. */
void gate_quiesced(struct gate *gate);

/*
 * While the port is asked to quiesce: whether the library is about to unmap the session's memory, at its
 * end or for another table.
 */
bool gate_drops_memory(const struct gate *gate);

/* For what its frontends make the port say. */
struct log_bucket *gate_log(struct gate *gate);

/* Of the session at hand; empty when none. */
const struct session *gate_session(const struct gate *gate);
struct vhost_conn *gate_conn(const struct gate *gate);	      /* NULL when no session */
const struct socket_peer *gate_peer(const struct gate *gate); /* NULL when none is attached */

/* Connections that were turned away because a frontend was attached already. */
uint64_t gate_rejected(const struct gate *gate);

/* Why the last message that this session was refused was refused; "" when none was. */
const char *gate_refusal(const struct gate *gate);

/*
 * Milliseconds until the next frontend is admitted, because sessions of this port end in fault again
 * and again; 0: at once. One that comes before waits. And how many faults have followed each other.
 */
uint32_t gate_rest_ms(const struct gate *gate);
uint32_t gate_rest_faults(const struct gate *gate);

/*
 * Whether a listening gate cannot accept anybody now (no descriptors, no memory), with words and the
 * remedy.
 */
bool gate_listen_trouble(const struct gate *gate, char *text, size_t size);

/* Why `connect` has not succeeded yet, in words with the time of the next try; "" otherwise. */
void gate_connect_state(const struct gate *gate, char *text, size_t size);

/*
 * The port found the frontend guilty (a broken ring, say): ends its session with these words,
 * from the event loop: no op is called in here. Nothing when no session is there or it ends
 * already.
 */
void gate_fault(struct gate *gate, const char *text);

/*
 * Stops listening and removes the socket file at once, ends the session (asking for quiescence),
 * then, from the event loop, frees the gate and calls `done` once.
 */
void gate_destroy(struct gate *gate, void (*done)(void *arg), void *arg);

#endif
