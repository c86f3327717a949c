/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions and answers over rtnetlink, and failures in words. Private to netif*.c.
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
#define NETIF_ANSWER_SIZE 32768 /* the kernel fills no more at a time */
#define NETIF_WORDS_MAX 128

struct netif {
	struct mnl_socket *socket;
	int netns_fd;		     /* the namespace that the socket is in */
	uint32_t seq;		     /* of the last request */
	char words[NETIF_WORDS_MAX]; /* the kernel's, about the last request that failed; "": none */
	_Alignas(struct nlmsghdr) uint8_t request[NETIF_REQUEST_SIZE];
	_Alignas(struct nlmsghdr) uint8_t answer[NETIF_ANSWER_SIZE];
};

/*
 * Begins a request in n->request: a message of that type with NLM_F_REQUEST and `flags`, and a
 * zeroed header of `extra` bytes behind it (*header).
 */
struct nlmsghdr *
netif_talk_start(struct netif *n, uint16_t type, uint16_t flags, size_t extra, void **header);

/*
 * Sends the request and waits for the end of the answer. Each message of it goes to `take` (NULL:
 * none is expected), whose negative result becomes the call's. 0 or -errno, the kernel's; -EINTR: a
 * list changed while it was read, ask again.
 */
int netif_talk(struct netif *n, struct nlmsghdr *request,
		int (*take)(const struct nlmsghdr *message, void *arg), void *arg);

/*
 * Writes "interface NAME: WHAT: WHY; NEXT" for the code that netif_talk() returned, and returns
 * the code. `next` NULL: what usually helps.
 */
int netif_talk_fail(struct netif *n, uint32_t index, int code, const char *what, const char *next,
		char *err, size_t err_size);

/* Reads an interface from a RTM_NEWLINK or RTM_DELLINK. -EBADMSG: it says nothing of one. */
int netif_link_read(const struct nlmsghdr *message, struct netif_link *out);

#endif
