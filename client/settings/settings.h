/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of vuser-client: what may stand there, and what it comes to.
 *
 * main reads it once; afterwards it is constant. No DPDK here, so that unit tests reach it.
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
#define SETTINGS_REFUSED_BY_DPDK ",=[]" /* what a name in device arguments cannot hold */

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

/* What the exception port to the kernel is made of. */
enum settings_backend {
	SETTINGS_BACKEND_AUTO, /* until main has looked what there is */
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
	bool mergeable_asked, in_order_asked; /* by name: then the backend must have it */
	uint32_t mtu; /* that receive buffers are made for, when not mergeable; kernel: of ifname */
	char *const *eal_args;
	size_t eal_arg_count;
	/* Roles; 0 where it says so means without end. */
	struct inet_addr target; /* ping */
	uint64_t count;		 /* 0: without end */
	double time;		 /* seconds; 0: without end */
	double interval;	 /* seconds; ping */
	double timeout;		 /* seconds; ping */
	double idle;		 /* seconds; receive; 0: never */
	double rate;		 /* frames a second; send, bench; 0: max */
	uint32_t size;		 /* of a frame without FCS; send, ping, bench; of a mix: largest */
	bool imix;		 /* frames of several sizes; send, bench */
	double trial;		 /* seconds of a trial; bench */
	bool no_loss;		 /* bench */
	bool both;		 /* bench */
	uint32_t flows;		 /* send */
	uint8_t destination[6];	 /* send */
	bool no_check;		 /* send */
	bool join;		 /* receive */
	bool promiscuous;	 /* echo */
	const char *ifname;	 /* kernel */
	const char *netns;	 /* kernel; NULL: our own */
	enum settings_backend backend;	      /* kernel */
	uint16_t fast_udp[SETTINGS_FAST_MAX]; /* kernel: ports that the application answers at */
	size_t fast_udp_count;
};

/* The options and roles; verbs[] is in the order of enum role_id. */
extern const struct options_program settings_program;

/* The role of that name, an enum role_id; ROLE_COUNT: there is none. */
size_t settings_find_role(const char *name);

/*
 * Answers --help with a role beside it. OPTIONS_GO_ON: that was not asked for; else the exit status.
 */
int settings_help_of_role(int argc, char *argv[]);

/* Whether an option, without its dashes, may be given with the role. */
bool settings_role_takes(enum role_id role, const char *option);

/*
 * Reads the command line, answers --help and --version, reports wrong usage. OPTIONS_GO_ON with s
 * filled in, or the exit status. argv must outlive s.
 */
int settings_open(int argc, char *argv[], struct settings *s);

/* The same without the printing, for tests: 0, or -EINVAL with err. */
int settings_read(int argc, char *argv[], struct settings *s, char *err, size_t err_size);

/* Size of frame number n, and bytes of the first count frames. */
uint32_t settings_frame_size(const struct settings *s, uint64_t number);
uint64_t settings_frame_bytes(const struct settings *s, uint64_t count);

#endif
