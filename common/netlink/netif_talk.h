/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests and replies over rtnetlink, and messages for failures. Private to netif*.c.
 */
#ifndef COMMON_NETIF_TALK_H
#define COMMON_NETIF_TALK_H

#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "netif.h"

#define NETIF_REQUEST_SIZE 512
#define NETIF_ANSWER_SIZE 32768 /* the most that the kernel sends at a time */
#define NETIF_REASON_MAX 128

struct netif {
	struct mnl_socket *socket;
	int netns_fd;		       /* the namespace that the socket is in */
	uint32_t seq;		       /* of the last request */
	char reason[NETIF_REASON_MAX]; /* the kernel's message about the last failed request; or "" */
	_Alignas(struct nlmsghdr) uint8_t request[NETIF_REQUEST_SIZE];
	_Alignas(struct nlmsghdr) uint8_t answer[NETIF_ANSWER_SIZE];
};

/*
 * Begins a request in n->request: a message of that type with NLM_F_REQUEST and `flags`, followed by a
 * zeroed header of `extra` bytes (*header).
 */
struct nlmsghdr *
netif_talk_start(struct netif *n, uint16_t type, uint16_t flags, size_t extra, void **header);

/*
 * Sends the request and waits for the end of the reply. Calls `take` for each message of it (NULL: none is
 * expected); a negative result of `take` becomes the call's. 0 or the kernel's -errno. -EINTR: a list
 * changed while it was read; ask again.
 */
int netif_talk(struct netif *n, struct nlmsghdr *request,
		int (*take)(const struct nlmsghdr *message, void *arg), void *arg);

/*
 * Writes "interface NAME: WHAT: WHY; NEXT" for the code that netif_talk() returned, and returns
 * the code. `next` NULL: the usual advice for that code.
 */
int netif_talk_fail(struct netif *n, uint32_t index, int code, const char *what, const char *next,
		char *err, size_t err_size);

/* Reads an interface from an RTM_NEWLINK or RTM_DELLINK. -EBADMSG: it does not describe one. */
int netif_link_read(const struct nlmsghdr *message, struct netif_link *out);

#endif
