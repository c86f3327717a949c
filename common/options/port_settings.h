/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can be configured of a port: plain data, with a member for each row of the table of options
 * (port_options.c). The defaults, and the comparison of two settings, come out of that table. Pure,
 * any thread.
 */
#ifndef COMMON_PORT_SETTINGS_H
#define COMMON_PORT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <net/if.h>

#include "netlink/prefix.h"
#include "port_limits.h"

/* How a kernel port reaches the kernel, in the order of the option's choices. */
enum port_backend {
	PORT_BACKEND_AUTO, /* vhost-net where /dev/vhost-net can be used, else tap */
	PORT_BACKEND_VHOST_NET,
	PORT_BACKEND_TAP,
};

struct port_mac {
	bool given; /* else the kernel's or the device's choice, and the bytes are 0 */
	uint8_t bytes[6];
};

struct port_addresses {
	uint32_t n;
	struct prefix list[PORT_ADDRESSES_MAX];
};

/* Filled with port_settings_default(), then changed. */
struct port_settings {
	char socket[PORT_PATH_MAX];  /* listening: path; "" = DIR/NAME.sock */
	char connect[PORT_PATH_MAX]; /* connecting: path; "" = listening */
	uint32_t mtu;		     /* bytes, PORT_MTU_MIN .. PORT_MTU_MAX */
	uint32_t mac_limit;	     /* learned stations, 0 = no limit */
	bool enabled;
	bool offload;	     /* checksum and segmentation offloads are offered and used */
	uint32_t max_memory; /* MiB that may be added to the frontend's memory; 0 = its table's size */
	mode_t mode;	     /* of the socket file */
	uid_t owner;	     /* (uid_t)-1 = the switch's */
	gid_t group;	     /* (gid_t)-1 = the switch's */
	/* kernel */
	char ifname[IFNAMSIZ];	   /* "" = the port's name */
	char netns[PORT_PATH_MAX]; /* name (of `ip netns`) or absolute path; "" = the switch's own */
	enum port_backend backend;
	uint32_t queues; /* 1 .. PORT_QUEUES_MAX */
	bool up;
	struct port_mac mac;
	struct port_addresses ip;
	/* ethdev (mtu, mac and up too) */
	char devargs[PORT_DEVARGS_MAX];
	bool promiscuous;
};

struct port_option;

/* Every option has its default. */
void port_settings_default(struct port_settings *settings);

/*
 * The options in which the settings differ: the first behind `after` in the order of the table, or
 * of all with NULL. NULL: there are no more.
 */
const struct port_option *port_settings_change(const struct port_settings *a,
		const struct port_settings *b, const struct port_option *after);

/* The member that an option sets; its type follows from the option's. */
void *port_settings_member(struct port_settings *settings, const struct port_option *option);
const void *
port_settings_value(const struct port_settings *settings, const struct port_option *option);

#endif
