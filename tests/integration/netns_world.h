/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A world of network namespaces of its own for a test program, that nothing of this machine's
 * network sees, and that ends with it. What the kernel thinks is asked of iproute2. Needs no
 * rights.
 */
#ifndef TESTS_NETNS_WORLD_H
#define TESTS_NETNS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "netlink/prefix.h"

/* Set-up of a group: enters new user, mount and network namespaces; /run/netns is empty. */
int world_enter(void **state);

/* Runs a command of the shell, which must succeed. */
void world_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What `ip -j -d ARGUMENTS` says: its first object, new; NULL: it fails. */
json_t *world_ip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A member of what world_ip() says of one interface in a namespace ("": this one). */
int64_t world_number(const char *netns, const char *ifname, const char *key);
/* buf has 64 bytes; returns it. "": there is no such interface or member. */
const char *world_text(const char *netns, const char *ifname, const char *key, char *buf);
/* One of the flags in "<UP,LOWER_UP>". */
bool world_flag(const char *netns, const char *ifname, const char *flag);
/* The interface's address, new; NULL: it has no such ("10.0.0.1/24"). */
json_t *world_address(const char *ifname, const char *address);
uint32_t world_addresses(const char *ifname); /* how many, without those of scope link */

struct prefix world_prefix(const char *text);

/*
 * Runs check(arg) as a thread without that capability (CAP_NET_ADMIN...), which is given back
 * afterwards.
 */
void world_without(int capability, void (*check)(void *arg), void *arg);

/* Opens a TAP (multi-queue, not persistent) of that name in the thread's namespace. */
int world_open_tap(const char *name);

#endif
