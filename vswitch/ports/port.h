/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports: the table of them, their settings, state and life. Control thread only.
 *
 * A kind of port (vhost-user, kernel, ethdev) is a struct port_ops in a folder of its own; RPC and
 * configuration meet ports only through this file.
 */
#ifndef VSWITCH_PORT_H
#define VSWITCH_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <net/if.h>

#include "datapath/account.h"
#include "datapath/counters.h"
#include "devices/port_device.h"
#include "gate/gate.h"
#include "options/port_settings.h"
#include "base/switch_limits.h"

struct event_base;
struct fdb;
struct port;
struct port_ops;

enum port_state {
	PORT_WAITING,	  /* no frontend; kernel, ethdev: what it is made of is not there yet */
	PORT_NEGOTIATING, /* a frontend is attached; rings do not run yet */
	PORT_UP,
	PORT_STOPPED, /* by the frontend, which is still attached */
	PORT_FAULT,   /* the last frontend broke a rule; a new one heals it */
	PORT_DOWN,    /* kernel, ethdev: the link is down, or the interface or device is gone */
};

/* Their names in this order: port_state_name(). */
#define PORT_STATE_WORDS "waiting|negotiating|up|stopped|fault|down"

struct port_fault {
	char text[PORT_TEXT_MAX]; /* "" = none since the port was added */
	uint64_t time_ns;	  /* CLOCK_MONOTONIC */
};

/* Counters since the port was added or cleared. drops[] sums both directions. */
struct port_stats {
	uint64_t rx_frames, rx_bytes; /* received by the switch from the port */
	uint64_t tx_frames, tx_bytes; /* delivered to the port */
	uint64_t copies_due;
	uint64_t drops[DROP_REASONS];
	/* Done by the switch for this receiver: tx_frames + drops = copies due - segmented + segments. */
	uint64_t checksummed, segmented, segments;
};

struct port_rates {
	double rx_fps, rx_bps; /* frames and bits a second over the last second */
	double tx_fps, tx_bps;
	double drop_fps;
	double time_percent;  /* of one CPU: workers' time on the port's memory and descriptors */
	double turns_percent; /* the same for the turns of its own frames */
};

/* What the port costs the workers, in seconds since it was added. */
struct port_time {
	double taking_s;	     /* its frames taken and its buffers given back */
	double turns_s;		     /* whole turns of its frames, but what receivers were slow */
	struct account_info account; /* the rest, and what is held against it */
};

/* A ring as show-port prints it. */
struct port_vring_info {
	bool running;	    /* published to the workers */
	uint16_t avail_idx; /* next to take */
	uint16_t used_idx;  /* next to give back */
};

/* What ports tell the control layer; any member may be NULL. */
struct port_listener {
	void (*added)(struct port *port);
	void (*deleted)(const char *name);
	void (*attached)(struct port *port, const struct socket_peer *peer);
	void (*detached)(struct port *port);
	void (*fault)(struct port *port, const char *text);
};

/* What port_init() is given; all of it stays as it is while there are ports. */
struct port_config {
	struct event_base *base;
	const char *socket_dir; /* for default sockets */
	struct fdb *fdb;	/* forgets the stations of ports that go */
	const struct port_listener *listener;
	const struct port_ops *const *kinds; /* NULL ends them */
};

/* Once, before any other call. 0 or -errno. */
int port_init(const struct port_config *config);

/*
 * The end of port_add() and port_set(), which may come from inside them or later from the event
 * loop, once. `err` NULL: done. Else nothing was changed, and it says so (what, which object, why,
 * what next); an added port is gone again, and `port` is NULL.
 */
typedef void (*port_done)(void *arg, struct port *port, const char *err);

/* Adds and starts a port. */
void port_add(const char *name, const char *type, const struct port_settings *settings,
		port_done done, void *arg);

/*
 * The same, but that a namespace, interface or device is missing is no reason to fail: the port is
 * there, waits, and starts when that has appeared.
 */
void port_add_patiently(const char *name, const char *type, const struct port_settings *settings,
		port_done done, void *arg);

/*
 * Changes what of the settings can be changed (common/options/port_options.h) to those of `settings`, all
 * or nothing. One change of a port at a time: during one the next is refused.
 */
void port_set(struct port *port, const struct port_settings *settings, port_done done, void *arg);

/*
 * Deletes: the socket vanishes at once, then the session ends, the FDB forgets the port, `done`
 * is called from the event loop and the port is freed. The name is taken until then. A second
 * call before that is -EALREADY.
 */
int port_delete(struct port *port, void (*done)(void *arg), void *arg);

struct port *port_find(const char *name); /* NULL; ports being deleted are not found */
struct port *port_by_id(uint16_t id);	  /* NULL */
uint32_t port_count(void);
/* Ports in the order of their names: port_first(), then port_next() until NULL. */
struct port *port_first(void);
struct port *port_next(const struct port *port);
/* The first port whose name comes after this one, which need not be a port's; NULL. */
struct port *port_after(const char *name);

const char *port_name(const struct port *port);
uint16_t port_id(const struct port *port);
const char *port_type(const struct port *port);
const struct port_settings *port_settings(const struct port *port);
/* The path that the port listens on or connects to. */
const char *port_path(const struct port *port);
enum port_state port_state(const struct port *port);
const char *port_state_name(enum port_state state);
/* "waiting for a frontend on PATH", "negotiating: no memory table yet", "fault: ..." */
void port_state_text(const struct port *port, char *text, size_t size);
const struct socket_peer *port_peer(const struct port *port); /* NULL */
const struct session *port_session(const struct port *port);  /* NULL */
/* False: the port has neither interface nor device. */
bool port_device(const struct port *port, struct port_device *device);
bool port_vring_info(const struct port *port, uint32_t index, struct port_vring_info *info);
uint64_t port_rejected(const struct port *port);
const struct port_fault *port_fault(const struct port *port);

void port_stats(const struct port *port, struct port_stats *stats);
void port_clear_stats(struct port *port);
void port_rates(const struct port *port, struct port_rates *rates);
void port_time(const struct port *port, struct port_time *time);

/* Deletes all ports; `done` when the last is gone. */
void port_delete_all(void (*done)(void *arg), void *arg);

#endif
