/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports: the table of them, their settings, state and life. Control thread only.
 *
 * A kind of port (vhost-user, later a kernel interface or a NIC) is a struct port_ops; everything
 * above (RPC, configuration) and below (workers) meets ports only through this file.
 */
#ifndef VSWITCH_PORT_H
#define VSWITCH_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "counters.h"
#include "gate.h"
#include "switch_limits.h"

#define PORT_NAME_MAX 64  /* with the terminating zero */
#define PORT_PATH_MAX 108 /* sun_path */
#define PORT_TEXT_MAX 256

struct event_base;
struct fdb;
struct port;

/* What can be configured. Filled with port_settings_default(), then changed. */
struct port_settings {
	char socket[PORT_PATH_MAX];  /* listening: path; "" = DIR/NAME.sock */
	char connect[PORT_PATH_MAX]; /* connecting: path; "" = listening */
	uint32_t mtu;		     /* bytes, MTU_MIN .. MTU_MAX */
	uint32_t mac_limit;	     /* learned stations, 0 = no limit */
	bool enabled;
	mode_t mode; /* of the socket file */
	uid_t owner; /* (uid_t)-1 = the switch's */
	gid_t group; /* (gid_t)-1 = the switch's */
};

enum port_state {
	PORT_WAITING,	  /* no frontend */
	PORT_NEGOTIATING, /* a frontend is attached; rings do not run yet */
	PORT_UP,
	PORT_STOPPED, /* by the frontend, which is still attached */
	PORT_FAULT,   /* the last frontend broke a rule; a new one heals it */
};

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
};

struct port_rates {
	double rx_fps, rx_bps; /* frames and bits a second over the last second */
	double tx_fps, tx_bps;
	double drop_fps;
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
	void (*attached)(struct port *port, const struct gate_peer *peer);
	void (*detached)(struct port *port);
	void (*fault)(struct port *port, const char *text);
};

/* Once, before any other call: directory for default sockets, FDB to flush, who is told. */
int port_init(struct event_base *base, const char *socket_dir, struct fdb *fdb,
		const struct port_listener *listener);

void port_settings_default(struct port_settings *settings);

/*
 * Adds and starts a port. `type` is one of port_types(). 0, or -errno with words in `err` (what,
 * which object, why, what next); then nothing was changed. -EEXIST: the name is taken.
 */
int port_add(const char *name, const char *type, const struct port_settings *settings,
		struct port **out, char *err, size_t err_size);

/*
 * Changes mtu, mac_limit, enabled, mode, owner, group to those of `settings`, all or nothing.
 * 0 or -errno with words.
 */
int port_set(struct port *port, const struct port_settings *settings, char *err, size_t err_size);

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
const struct gate_peer *port_peer(const struct port *port);  /* NULL */
const struct session *port_session(const struct port *port); /* NULL */
bool port_vring_info(const struct port *port, uint32_t index, struct port_vring_info *info);
uint64_t port_rejected(const struct port *port);
const struct port_fault *port_fault(const struct port *port);

void port_stats(const struct port *port, struct port_stats *stats);
void port_clear_stats(struct port *port);
void port_rates(const struct port *port, struct port_rates *rates);

/* Deletes all ports; `done` when the last is gone. */
void port_delete_all(void (*done)(void *arg), void *arg);

#endif
