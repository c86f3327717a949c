/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of vuser-client: its options and roles, and the settings that it results in.
 *
 * main reads it once; afterwards it is constant. Uses no DPDK, so that unit tests can call it.
 */
#ifndef CLIENT_SETTINGS_H
#define CLIENT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packets/inet.h"
#include "options/options.h"

#define SETTINGS_PATHS_MAX 16
#define SETTINGS_ADDRS_MAX 64
#define SETTINGS_FAST_MAX 64
#define SETTINGS_REFUSED_BY_DPDK ",=[]" /* characters that a name in device arguments cannot have */

enum role_id {
	ROLE_RESPOND,
	ROLE_PING,
	ROLE_SEND,
	ROLE_RECEIVE,
	ROLE_ECHO,
	ROLE_BENCH,
	ROLE_KERNEL,
	ROLE_COUNT
};

/* The backend of the exception port to the kernel. */
enum settings_backend {
	SETTINGS_BACKEND_AUTO, /* until exception_choose() has chosen one */
	SETTINGS_BACKEND_VHOST_NET,
	SETTINGS_BACKEND_TAP,
};

struct settings {
	enum role_id role;
	const char *role_name;
	/* Ports. Texts are borrowed from argv. */
	const char *paths[SETTINGS_PATHS_MAX];
	uint8_t macs[SETTINGS_PATHS_MAX][6]; /* given, or random and locally administered */
	size_t path_count;
	struct inet_addr addrs[SETTINGS_ADDRS_MAX];
	size_t addr_count;
	bool server;
	bool huge;
	bool json;
	bool verbose;
	double wait;	     /* seconds; negative: not given */
	uint32_t queue_size; /* descriptors of each ring */
	bool mergeable, in_order;
	bool mergeable_asked, in_order_asked; /* given explicitly, so the backend must have it */
	uint32_t mtu; /* for the size of receive buffers, if not mergeable; kernel: of ifname */
	char *const *eal_args;
	size_t eal_arg_count;
	/* Roles. */
	struct inet_addr target; /* ping */
	uint64_t count;		 /* 0: no limit */
	double time;		 /* seconds; 0: no limit */
	double interval;	 /* seconds; ping */
	double timeout;		 /* seconds; ping */
	double idle;		 /* seconds; receive; 0: never */
	double rate;		 /* frames a second; send, bench; 0: max */
	uint32_t size;	/* of a frame without FCS, with imix the largest; send, ping, bench */
	bool imix;	/* frames of several sizes; send, bench */
	double trial;	/* seconds of a trial; bench */
	bool no_loss;	/* bench */
	bool both;	/* bench */
	uint32_t flows; /* send */
	uint8_t destination[6];		      /* send */
	bool no_check;			      /* send */
	bool join;			      /* receive */
	bool promiscuous;		      /* echo */
	const char *ifname;		      /* kernel */
	const char *netns;		      /* kernel; NULL: our own */
	enum settings_backend backend;	      /* kernel */
	uint16_t fast_udp[SETTINGS_FAST_MAX]; /* kernel: UDP ports of the fast path */
	size_t fast_udp_count;
};

/* The options and roles; verbs[] is in the order of enum role_id. */
extern const struct options_program settings_program;

/* The role of that name, an enum role_id; ROLE_COUNT: there is no such role. */
size_t settings_find_role(const char *name);

/*
 * Prints the help of one role, if --help and a role are given, and returns the exit status. Otherwise
 * OPTIONS_GO_ON.
 */
int settings_help_of_role(int argc, char *argv[]);

/* Whether an option, without its dashes, may be given with the role. */
bool settings_role_takes(enum role_id role, const char *option);

/*
 * Reads the command line, prints --help and --version, reports wrong usage. OPTIONS_GO_ON with s filled in,
 * or the exit status. argv must outlive s.
 */
int settings_open(int argc, char *argv[], struct settings *s);

/* The same without printing, for tests: 0, or -EINVAL with err. */
int settings_read(int argc, char *argv[], struct settings *s, char *err, size_t err_size);

/* Size of frame number n, and bytes of the first count frames. */
uint32_t settings_frame_size(const struct settings *s, uint64_t number);
uint64_t settings_frame_bytes(const struct settings *s, uint64_t count);

#endif
