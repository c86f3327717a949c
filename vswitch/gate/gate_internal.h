/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of the gate share. Control thread only.
 *
 *   gate.c          one frontend's session from admission to its end; the public functions
 *   gate_read.c     one message of the frontend: collect, check, reply or relay
 *   gate_relay.c    one message through the vhost library: quiesce, relay, reply
 *   gate_message.c  the message at hand: its reply, its time limit, its descriptors
 *   gate_session.c  what all of these use: ends the session, asks for quiescence
 *   gate_listen.c   the public socket, where the frontend connects
 *   gate_connect.c  the attempts to connect, where the frontend serves the socket
 *   gate_rest.c     the time between a fault and the next frontend
 *
 * The state changes only along these arrows. Every op may call gate_fault() or gate_destroy(), which
 * set the state to ENDING and return, so the state is read again after each op.
 *
 *   IDLE -> READING      a frontend was admitted
 *   READING -> OPENING   its first message for the library is whole and good; only now the library is
 *                        asked for a connection, so that a silent frontend costs it nothing
 *   READING, OPENING -> QUIESCING   a good message concerns rings that workers may use
 *   READING, OPENING, QUIESCING -> RELAYED   the library has the message
 *   RELAYED -> READING   the library's reply came and was passed on
 *   any but IDLE -> ENDING  the frontend left, broke a rule, or the port goes
 *   ENDING -> CLOSING    from the loop, when neither a quiesce nor a reply of the library is
 *                        outstanding; asks the port to quiesce all rings
 *   CLOSING -> IDLE      the rings are quiet, and everything was closed
 */
#ifndef VSWITCH_GATE_INTERNAL_H
#define VSWITCH_GATE_INTERNAL_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>
#include <sys/un.h>

#include "fd_reaper.h"
#include "gate.h"
#include "base/log.h"
#include "vhost_msg.h"

#define GATE_TEXT_MAX 256

/* From the first byte of a message to its last. */
#define GATE_MESSAGE_LIMIT_S 1

/* The library replies within this, even with little CPU; otherwise something is wrong with it. */
#define GATE_ANSWER_LIMIT_S 5

/*
 * These limits are counted in timer ticks of this length, so that time in which the switch was stopped
 * or had no CPU counts as one tick. A tick is longer than GATE_PAUSE_MAX_MS, so that data that came
 * meanwhile is read first.
 */
#define GATE_LOOK_MS 100

/* Descriptors of a port's frontends that resist closing; with more, the port serves no frontend. */
#define GATE_UNCLOSED_MAX 32

/* Descriptors of a port's frontends that are not closed yet, old and new; the same with more. */
#define GATE_PENDING_MAX 1024

/* After a part of a message the connection is read again after this; each further part doubles it. */
#define GATE_PAUSE_MIN_MS 1
#define GATE_PAUSE_MAX_MS 64

/* Refusals that one session may leave in the log. */
#define GATE_REFUSALS_LOGGED 8

enum gate_state {
	GATE_IDLE,
	GATE_OPENING,
	GATE_READING,
	GATE_QUIESCING,
	GATE_RELAYED,
	GATE_ENDING,
	GATE_CLOSING,
};

/* The public socket while the gate listens. */
struct gate_listener {
	int fd; /* -1: not listening */
	struct event readable;
	struct event pause;    /* pending while accepting is suspended */
	int trouble;	       /* errno of the last accept4(), which the log has; 0: it worked */
	uint64_t second_start; /* ns; accepted connections are counted from here */
	uint32_t accepted;
	dev_t dev; /* the socket file that was made here */
	ino_t ino;
	LIST_ENTRY(gate) link; /* in the list of all that listen */
};

/* The attempts to reach a frontend that serves the socket. */
struct gate_connector {
	struct event next; /* the next attempt */
	uint64_t next_ns;  /* when, CLOCK_MONOTONIC */
	uint32_t delay_ms; /* from the next attempt to the one after it */
	int error;	   /* errno of the last attempt, 0 before the first */
};

/* The port's faults in a row, and its rest. */
struct gate_rest {
	uint32_t faults;   /* each within REST_FORGET_S of the one before */
	uint64_t last_ns;  /* when the last of them was; CLOCK_MONOTONIC */
	uint64_t until_ns; /* no frontend is admitted before */
	struct event over;
};

struct gate {
	struct event_base *base;
	const struct gate_ops *ops;
	void *port;
	const struct vhost_library *library;
	char name[64];
	struct log_bucket log; /* for lines that its frontends cause */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool connects;
	struct vhost_offer offer;
	struct fd_reaper_account *unclosed; /* frontends' descriptors that are being closed */

	enum gate_state state;
	struct event step; /* runs gate_run_deferred() from the loop */
	struct gate_listener listener;
	struct gate_connector connector;
	struct gate_rest rest;
	int waiting_fd; /* a frontend that waits until the session or the port's rest ends; -1: none */
	uint64_t rejected;
	/* Owns `fd`, a frontend's connection: admits it, makes it wait, or closes it. */
	void (*arrived)(struct gate *gate, int fd);

	/* The session at hand. */
	struct socket_peer peer;
	int fd;		       /* to the frontend */
	struct event readable; /* on fd; pending in READING only */
	struct event answered; /* on the library's socket, from OPENING's end to CLOSING */
	struct event pause;    /* pending instead of readable while only a part has come */
	struct event limit;    /* of the message being collected, or of the library's answer */
	uint32_t looks;	       /* ticks (GATE_LOOK_MS) until that limit */
	uint32_t pause_ms;
	struct vhost_conn *conn;
	bool answered_added;
	bool has_budget;
	uint32_t region_budget;	 /* descriptors reserved for memory regions */
	uint64_t address_space;	 /* bytes reserved for them; see memory_space.h */
	uint32_t message_budget; /* descriptors reserved for the message at hand */
	bool quiesce_asked;	 /* a quiesce is outstanding */
	bool answer_due;	 /* the library has a message and has not replied yet */
	struct session session;
	struct vhost_msg msg;	 /* from the frontend */
	struct vhost_msg answer; /* from the library */
	uint32_t refusals;
	char refusal[GATE_TEXT_MAX];
	bool at_fault;
	bool blameless; /* the switch has no room for the session: not the frontend's fault */
	char fault[GATE_TEXT_MAX];

	bool destroying;
	void (*done)(void *arg);
	void *done_arg;
};

/* gate_session.c */

/* Ends the session from the loop. `fault` NULL: the frontend left. Only the first call counts. */
void gate_end(struct gate *gate, const char *fault);
bool gate_is_ending(const struct gate *gate);

/* Has the loop call gate_run_deferred(). */
void gate_defer(struct gate *gate);

/* Shuts a frontend's connection down and gives it to the reaper, together with its unread data. */
void gate_drop(struct gate *gate, int fd);

/* True when too many descriptors of this port's frontends cannot be closed; says so in `why`. */
bool gate_is_clogged(const struct gate *gate, char *why, size_t why_size);

/* Asks the port to quiesce; gate_quiesced() may come within the call. */
void gate_request_quiesce(struct gate *gate, uint32_t vring_mask);

/* gate_message.c */

/* The message at hand must be over and done with in so many seconds. */
void gate_message_set_limit(struct gate *gate, uint32_t seconds);
void gate_message_on_limit(evutil_socket_t fd, short what, void *arg);

/* Closes the descriptors of `msg` that the session did not take, and empties `msg`. */
void gate_message_give_up(struct gate *gate, struct vhost_msg *msg);

/* Does the same for the message at hand and its reply, and returns their reserved descriptors. */
void gate_message_release(struct gate *gate);

/* For struct fd_receiver: closes a descriptor that the message may not carry. */
void gate_message_close_surplus(void *arg, int fd);

/* Begins to wait for the next message. */
void gate_message_next(struct gate *gate);

/* Sends a reply with `size` bytes of `payload`. False when that failed and the session ends. */
bool gate_message_reply(struct gate *gate, const union vhost_payload *payload, uint32_t size);
bool gate_message_reply_u64(struct gate *gate, uint64_t value);

/* Sends ACK or NACK if the frontend set NEED_REPLY. False as above. */
bool gate_message_acknowledge(struct gate *gate, bool accepted);

/*
 * Refuses a legal request that cannot be granted: sends NACK if the frontend asked for a reply.
 * Otherwise the session ends, because the frontend would not know.
 */
void gate_message_refuse(struct gate *gate, const char *why);

/* gate_relay.c */

/* Asks the library for a connection; once it is there, relays the message at hand. */
void gate_relay_open(struct gate *gate);

/* Relays the message at hand, which is good, over the connection that is there. */
void gate_relay_go_on(struct gate *gate);

/* The rings are quiet: hands the message at hand to the library. */
void gate_relay_send(struct gate *gate);

/* gate_read.c */
void gate_read_on_readable(evutil_socket_t fd, short what, void *arg);
void gate_read_on_pause_over(evutil_socket_t fd, short what, void *arg);

/* gate_listen.c */
int
gate_listen_start(struct gate *gate, const struct gate_config *config, char *err, size_t err_size);
/* Stops listening, and removes the socket file if it is still the file that was made here. */
void gate_listen_stop(struct gate *gate);
int gate_listen_set_access(struct gate *gate, mode_t mode, uid_t owner, gid_t group, char *err,
		size_t err_size);

/* gate_connect.c */
void gate_connect_start(struct gate *gate);
/* A session ended. `useful`: it had memory, so the next attempt follows after the shortest delay. */
void gate_connect_again(struct gate *gate, bool useful);
void gate_connect_stop(struct gate *gate);

/* gate_rest.c; gate_rest_ms() is public. */
void gate_rest_init(struct gate *gate);
/* A session ended in fault. */
void gate_rest_count_fault(struct gate *gate);
void gate_rest_stop(struct gate *gate);

#endif
