/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See netif.h: the addresses of an interface.
 *
 * The kernel removes more than it is asked to: with the first IPv4 address of a network it removes all
 * others of the same network (unless promote_secondaries is set). And an interface cannot have an IPv6
 * address with two prefixes. So a change removes first, reads what is left, and adds what is missing.
 * Undoing a change does the same with the list as it was before.
 */
#include "netif.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_addr.h>

#include "netif_talk.h"
#include "text/text.h"

#define DUMP_TRIES 16 /* a try fails when the list changes meanwhile */

/* A list while it is built. */
struct list {
	uint32_t index; /* of the interface */
	struct prefix *entries;
	size_t n;
};

/* A list that is only read. */
struct view {
	const struct prefix *entries;
	size_t n;
};

static struct view
view(const struct list *list)
{
	return (struct view){ list->entries, list->n };
}

static bool
contains(struct view list, const struct prefix *wanted)
{
	size_t i;

	for (i = 0; i < list.n; i++)
		if (prefix_same(&list.entries[i], wanted))
			return true;
	return false;
}

static size_t
address_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

static int
append(struct list *list, const struct prefix *entry)
{
	struct prefix *grown = realloc(list->entries, (list->n + 1) * sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	list->entries = grown;
	list->entries[list->n++] = *entry;
	return 0;
}

/* The interface's own address is IFA_LOCAL or, where that is missing (IPv6), IFA_ADDRESS. */
static int
take_address(const struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr, *address = NULL;
	struct list *list = arg;
	struct prefix entry = { 0 };

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) || info->ifa_index != list->index ||
			(info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return 0;
	mnl_attr_for_each (attr, message, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == IFA_LOCAL ||
				(mnl_attr_get_type(attr) == IFA_ADDRESS && address == NULL))
			address = attr;
	}
	if (address == NULL || mnl_attr_get_payload_len(address) != address_len(info->ifa_family))
		return 0;
	entry.family = info->ifa_family;
	entry.len = info->ifa_prefixlen;
	memcpy(entry.address, mnl_attr_get_payload(address), address_len(info->ifa_family));
	return append(list, &entry);
}

static int
read_once(struct netif *n, struct list *list)
{
	struct nlmsghdr *request;
	void *header;

	free(list->entries);
	*list = (struct list){ .index = list->index };
	request = netif_talk_start(n, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg), &header);
	return netif_talk(n, request, take_address, list);
}

/* Reads the addresses of list->index. The caller frees the entries, also after a failure. */
static int
read_all(struct netif *n, struct list *list)
{
	int i, ret = -EINTR;

	for (i = 0; i < DUMP_TRIES && ret == -EINTR; i++)
		ret = read_once(n, list);
	return ret;
}

/* All bits after the prefix set. Networks of one or two addresses have no broadcast address (RFC 3021). */
static void
put_broadcast(struct nlmsghdr *request, const struct prefix *address)
{
	uint32_t bits;

	if (address->family != AF_INET || address->len > 30)
		return;
	memcpy(&bits, address->address, sizeof(bits));
	bits |= htonl(UINT32_MAX >> address->len);
	mnl_attr_put_u32(request, IFA_BROADCAST, bits);
}

/* type: RTM_NEWADDR, RTM_DELADDR. */
static int
ask_address(struct netif *n, uint16_t type, uint32_t index, const struct prefix *address)
{
	uint16_t flags = NLM_F_ACK | (type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0);
	size_t size = address_len(address->family);
	struct nlmsghdr *request;
	struct ifaddrmsg *info;
	void *header;

	request = netif_talk_start(n, type, flags, sizeof(*info), &header);
	info = header;
	info->ifa_family = (uint8_t)address->family;
	info->ifa_prefixlen = address->len;
	info->ifa_index = index;
	mnl_attr_put(request, IFA_LOCAL, size, address->address);
	mnl_attr_put(request, IFA_ADDRESS, size, address->address);
	if (type == RTM_NEWADDR) {
		info->ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0;
		put_broadcast(request, address);
	}
	return netif_talk(n, request, NULL, NULL);
}

static const char *
add_help(const struct netif_link *link, const struct prefix *address, int code)
{
	if (address->family == AF_INET6 && link->mtu < 1280)
		return "IPv6 needs an MTU of 1280 or more";
	if (address->family == AF_INET6 && code == -EACCES)
		return "IPv6 is off there: sysctl net.ipv6.conf.INTERFACE.disable_ipv6=0";
	if (address->family == AF_INET6 && code == -EAFNOSUPPORT)
		return "the kernel has no IPv6";
	if (code == -EEXIST)
		return "it has that address with another prefix: remove that first";
	return NULL;
}

static int
add(struct netif *n, uint32_t index, const struct prefix *address, char *err, size_t err_size)
{
	char text[PREFIX_TEXT_SIZE], what[PREFIX_TEXT_SIZE + 32];
	struct netif_link link;
	int ret = ask_address(n, RTM_NEWADDR, index, address);

	if (ret == 0)
		return 0;
	snprintf(what, sizeof(what), "cannot add the address %s", prefix_format(address, text));
	if (netif_get(n, index, &link, NULL, 0) < 0)
		return netif_talk_fail(n, index, ret, what, NULL, err, err_size);
	return netif_talk_fail(n, index, ret, what, add_help(&link, address, ret), err, err_size);
}

/* Removes an address. 0 also when the interface does not have it. */
static int
take_away(struct netif *n, uint32_t index, const struct prefix *address, char *err, size_t err_size)
{
	char text[PREFIX_TEXT_SIZE], what[PREFIX_TEXT_SIZE + 32];
	int ret = ask_address(n, RTM_DELADDR, index, address);

	if (ret == 0 || ret == -EADDRNOTAVAIL)
		return 0;
	snprintf(what, sizeof(what), "cannot remove the address %s", prefix_format(address, text));
	return netif_talk_fail(n, index, ret, what, NULL, err, err_size);
}

/* Adds the addresses of goal that the interface lacks now. */
static int
complete(struct netif *n, uint32_t index, struct view goal, char *err, size_t err_size)
{
	struct list now = { .index = index };
	size_t i;
	int ret;

	ret = read_all(n, &now);
	if (ret < 0)
		ret = netif_talk_fail(
				n, index, ret, "cannot read its addresses", NULL, err, err_size);
	for (i = 0; i < goal.n && ret == 0; i++)
		if (!contains(view(&now), &goal.entries[i]))
			ret = add(n, index, &goal.entries[i], err, err_size);
	free(now.entries);
	return ret;
}

/* Removes those of `these` that are not in `keep`, up to the first failure. */
static int
remove_but(struct netif *n, uint32_t index, struct view these, struct view keep, char *err,
		size_t err_size)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < these.n && ret == 0; i++)
		if (!contains(keep, &these.entries[i]))
			ret = take_away(n, index, &these.entries[i], err, err_size);
	return ret;
}

/* The addresses after a change: all of `wanted`, and those of `before` that are not in `old`. */
static int
make_goal(struct view before, struct view old, struct view wanted, struct list *goal)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < wanted.n && ret == 0; i++)
		ret = append(goal, &wanted.entries[i]);
	for (i = 0; i < before.n && ret == 0; i++)
		if (!contains(old, &before.entries[i]) && !contains(wanted, &before.entries[i]))
			ret = append(goal, &before.entries[i]);
	return ret;
}

/* Changes the addresses from `before` to `goal`; after a failure changes them back. */
static int
change(struct netif *n, uint32_t index, struct view before, struct view old, struct view wanted,
		struct view goal, char *err, size_t err_size)
{
	int ret = remove_but(n, index, old, wanted, err, err_size);

	if (ret == 0)
		ret = complete(n, index, goal, err, err_size);
	if (ret < 0) {
		(void)remove_but(n, index, wanted, before, NULL, 0);
		(void)complete(n, index, before, NULL, 0);
	}
	return ret;
}

int
netif_change_addresses(struct netif *n, uint32_t index, const struct prefix *old, size_t n_old,
		const struct prefix *wanted, size_t n_wanted, char *err, size_t err_size)
{
	struct view olds = { old, n_old }, news = { wanted, n_wanted };
	struct list before = { .index = index }, goal = { .index = index };
	int ret;

	ret = read_all(n, &before);
	if (ret == 0)
		ret = make_goal(view(&before), olds, news, &goal);
	if (ret == 0)
		ret = change(n, index, view(&before), olds, news, view(&goal), err, err_size);
	else
		ret = netif_talk_fail(
				n, index, ret, "cannot change its addresses", NULL, err, err_size);
	free(before.entries);
	free(goal.entries);
	return ret;
}
