/* SPDX-License-Identifier: BSD-3-Clause */
/* See netif.h: handles, and what can be read and changed of an interface, except addresses. */
#include "netif.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/net_namespace.h>

#include "netif_talk.h"
#include "netns.h"
#include "text/text.h"

#define WHAT_MAX 96

/* Opens the handle's socket in the namespace of the thread that runs this. 0 or -errno. */
static int
open_socket(void *arg)
{
	struct netif *n = arg;
	int on = 1;

	n->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (n->socket == NULL)
		return -errno;
	if (mnl_socket_bind(n->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* optional: kernels that lack these give shorter reasons and longer acknowledgements */
	(void)mnl_socket_setsockopt(n->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(n->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	return 0;
}

static int
open_in(struct netif *n, int netns_fd, char *err, size_t err_size)
{
	int result, ret;

	n->netns_fd = netns_fd < 0 ? netns_own(err, err_size) : fcntl(netns_fd, F_DUPFD_CLOEXEC, 0);
	if (n->netns_fd < 0)
		return netns_fd < 0 ? n->netns_fd
				    : text_fail(err, err_size, -errno,
						      "network interfaces: cannot keep the network "
						      "namespace open: %s; close something first",
						      strerror(errno));
	ret = netns_run(n->netns_fd, open_socket, n, &result, err, err_size);
	if (ret == 0 && result < 0)
		return text_fail(err, err_size, result,
				"network interfaces: cannot open a netlink socket: %s; does something "
				"(seccomp, RestrictAddressFamilies=) forbid AF_NETLINK?",
				strerror(-result));
	return ret;
}

int
netif_open(int netns_fd, struct netif **out, char *err, size_t err_size)
{
	struct netif *n = calloc(1, sizeof(*n));
	int ret;

	if (n == NULL)
		return text_fail(err, err_size, -ENOMEM,
				"network interfaces: out of memory; end something first");
	ret = open_in(n, netns_fd, err, err_size);
	if (ret < 0) {
		netif_close(n);
		return ret;
	}
	*out = n;
	return 0;
}

void
netif_close(struct netif *n)
{
	if (n == NULL)
		return;
	if (n->socket != NULL)
		mnl_socket_close(n->socket);
	if (n->netns_fd >= 0)
		close(n->netns_fd);
	free(n);
}

static bool
is_name_char(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && strchr("/:%", c) == NULL;
}

/* As the kernel's dev_valid_name(), but also refuses '%', which turns a name into a pattern. */
int
netif_check_name(const char *name, char *err, size_t err_size)
{
	size_t i, length = strlen(name);

	if (length == 0 || length >= IFNAMSIZ)
		return text_fail(err, err_size, -EINVAL,
				"'%s' has %zu bytes, and the name of an interface has 1 to %d",
				name, length, IFNAMSIZ - 1);
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return text_fail(err, err_size, -EINVAL,
				"'%s' cannot be the name of an interface; use letters and digits",
				name);
	for (i = 0; i < length; i++)
		if (!is_name_char(name[i]))
			return text_fail(err, err_size, -EINVAL,
					"'%s' cannot be the name of an interface: '/', ':', '%%' and "
					"white space are not allowed in it",
					name);
	return 0;
}

/* Begins a request about the interface of that index; 0: an attribute gives its name. */
static struct nlmsghdr *
start(struct netif *n, uint16_t type, uint32_t index, struct ifinfomsg **info)
{
	struct nlmsghdr *request;
	void *header;

	request = netif_talk_start(n, type, NLM_F_ACK, sizeof(**info), &header);
	*info = header;
	(*info)->ifi_index = (int)index;
	return request;
}

static int
take_link(const struct nlmsghdr *message, void *arg)
{
	return netif_link_read(message, arg);
}

int
netif_find(struct netif *n, const char *name, struct netif_link *out, char *err, size_t err_size)
{
	struct ifinfomsg *info;
	struct nlmsghdr *request = start(n, RTM_GETLINK, 0, &info);
	int ret;

	ret = netif_check_name(name, err, err_size);
	if (ret < 0)
		return ret;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	ret = netif_talk(n, request, take_link, out);
	if (ret == -ENODEV)
		return text_fail(err, err_size, ret,
				"interface %s: the network namespace has no interface of this name; "
				"`ip link` lists those that it has",
				name);
	if (ret < 0)
		return text_fail(err, err_size, ret, "interface %s: cannot read its state: %s",
				name, strerror(-ret));
	return 0;
}

int
netif_get(struct netif *n, uint32_t index, struct netif_link *out, char *err, size_t err_size)
{
	struct ifinfomsg *info;
	struct nlmsghdr *request = start(n, RTM_GETLINK, index, &info);
	int ret = netif_talk(n, request, take_link, out);

	if (ret < 0)
		return netif_talk_fail(n, index, ret, "cannot read its state", NULL, err, err_size);
	return 0;
}

int
netif_may_configure(struct netif *n, char *err, size_t err_size)
{
	struct ifinfomsg *info;
	/* the kernel checks the rights before it looks for the interface, which does not exist */
	struct nlmsghdr *request = start(n, RTM_SETLINK, INT32_MAX, &info);

	if (netif_talk(n, request, NULL, NULL) != -EPERM)
		return 0;
	return text_fail(err, err_size, -EPERM,
			"network interfaces: CAP_NET_ADMIN is missing; run as root, or grant it "
			"(setcap cap_net_admin+ep PROGRAM, or AmbientCapabilities= of its systemd "
			"unit)");
}

int
netif_set_mtu(struct netif *n, uint32_t index, uint32_t mtu, char *err, size_t err_size)
{
	struct ifinfomsg *info;
	struct nlmsghdr *request = start(n, RTM_SETLINK, index, &info);
	char what[WHAT_MAX], next[WHAT_MAX] = "";
	struct netif_link link;
	int ret;

	mnl_attr_put_u32(request, IFLA_MTU, mtu);
	ret = netif_talk(n, request, NULL, NULL);
	if (ret == 0)
		return 0;
	snprintf(what, sizeof(what), "cannot set the MTU to %u", mtu);
	if (ret != -EINVAL)
		return netif_talk_fail(n, index, ret, what, NULL, err, err_size);
	if (netif_get(n, index, &link, NULL, 0) == 0)
		snprintf(next, sizeof(next), "it takes %u to %u", link.min_mtu, link.max_mtu);
	else
		snprintf(next, sizeof(next), "give another");
	return netif_talk_fail(n, index, ret, what, next, err, err_size);
}

int
netif_set_mac(struct netif *n, uint32_t index, const uint8_t mac[6], char *err, size_t err_size)
{
	struct ifinfomsg *info;
	struct nlmsghdr *request = start(n, RTM_SETLINK, index, &info);
	char what[WHAT_MAX], text[TEXT_MAC_SIZE];
	int ret;

	mnl_attr_put(request, IFLA_ADDRESS, 6, mac);
	ret = netif_talk(n, request, NULL, NULL);
	if (ret == 0)
		return 0;
	snprintf(what, sizeof(what), "cannot set the MAC address to %s",
			text_format_mac(mac, text));
	return netif_talk_fail(n, index, ret, what,
			ret == -EADDRNOTAVAIL
					? "give the address of one host: not zero, and the first "
					  "byte even"
					: NULL,
			err, err_size);
}

int
netif_set_up(struct netif *n, uint32_t index, bool up, char *err, size_t err_size)
{
	struct ifinfomsg *info;
	struct nlmsghdr *request = start(n, RTM_SETLINK, index, &info);
	int ret;

	info->ifi_change = IFF_UP;
	info->ifi_flags = up ? IFF_UP : 0;
	ret = netif_talk(n, request, NULL, NULL);
	if (ret == 0)
		return 0;
	return netif_talk_fail(n, index, ret, up ? "cannot set it up" : "cannot set it down", NULL,
			err, err_size);
}

/* Asks the kernel to move and rename an interface. */
static int
ask_move(struct netif *n, uint32_t index, struct netif *to, const char *name)
{
	struct ifinfomsg *info;
	struct nlmsghdr *request = start(n, RTM_SETLINK, index, &info);

	/* in the order in which the kernel makes the changes: the namespace, then the name */
	mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)to->netns_fd);
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	return netif_talk(n, request, NULL, NULL);
}

/* Moves it back, if the kernel moved it before it found that the name was taken. */
static void
move_back(struct netif *n, const struct netif_link *before, struct netif *to)
{
	struct netif_link now;

	if (netif_get(n, before->index, &now, NULL, 0) < 0 &&
			netif_find(to, before->name, &now, NULL, 0) == 0)
		(void)ask_move(to, now.index, n, before->name);
}

static int
cannot_move(struct netif *n, const struct netif_link *before, struct netif *to, const char *name,
		int code, char *err, size_t err_size)
{
	char what[WHAT_MAX], reason[NETIF_REASON_MAX];

	snprintf(reason, sizeof(reason), "%s", n->reason);
	move_back(n, before, to);
	snprintf(n->reason, sizeof(n->reason), "%s", reason);
	snprintf(what, sizeof(what), "cannot move it to the network namespace as %s", name);
	return netif_talk_fail(n, before->index, code, what,
			code == -EEXIST ? "an interface there has that name: choose another" : NULL,
			err, err_size);
}

int
netif_move(struct netif *n, uint32_t index, struct netif *to, const char *name,
		uint32_t *moved_index, char *err, size_t err_size)
{
	struct netif_link before, after;
	int ret;

	ret = netif_check_name(name, err, err_size);
	if (ret == 0)
		ret = netif_get(n, index, &before, err, err_size);
	if (ret != 0)
		return ret;
	ret = ask_move(n, index, to, name);
	if (ret < 0)
		return cannot_move(n, &before, to, name, ret, err, err_size);
	ret = netif_find(to, name, &after, err, err_size);
	if (ret == 0)
		*moved_index = after.index;
	return ret;
}

/* Begins a request about the number of other's namespace in that of n. */
static struct nlmsghdr *
start_nsid(struct netif *n, uint16_t type, struct netif *other)
{
	struct nlmsghdr *request;
	void *header;

	request = netif_talk_start(n, type, NLM_F_ACK, sizeof(struct rtgenmsg), &header);
	mnl_attr_put_u32(request, NETNSA_FD, (uint32_t)other->netns_fd);
	return request;
}

static int
take_nsid(const struct nlmsghdr *message, void *arg)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, message, sizeof(struct rtgenmsg)) {
		if (mnl_attr_get_type(attr) == NETNSA_NSID &&
				mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			*(int *)arg = (int)mnl_attr_get_u32(attr);
	}
	return 0;
}

/* The number that is assigned, or NETNSA_NSID_NOT_ASSIGNED. */
static int
get_nsid(struct netif *n, struct netif *other, int *nsid)
{
	*nsid = NETNSA_NSID_NOT_ASSIGNED;
	return netif_talk(n, start_nsid(n, RTM_GETNSID, other), take_nsid, nsid);
}

static int
assign_nsid(struct netif *n, struct netif *other, int *nsid)
{
	struct nlmsghdr *request = start_nsid(n, RTM_NEWNSID, other);
	int ret;

	mnl_attr_put_u32(request, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED); /* any */
	ret = netif_talk(n, request, NULL, NULL);
	if (ret < 0 && ret != -EEXIST)
		return ret;
	return get_nsid(n, other, nsid);
}

int
netif_nsid(struct netif *n, struct netif *other, int *nsid, char *err, size_t err_size)
{
	int ret = get_nsid(n, other, nsid);

	if (ret == 0 && *nsid == NETNSA_NSID_NOT_ASSIGNED &&
			!netns_same(n->netns_fd, other->netns_fd))
		ret = assign_nsid(n, other, nsid);
	if (ret == 0)
		return 0;
	return text_fail(err, err_size, ret,
			"network namespace: cannot get a number for it: %s; %s",
			n->reason[0] != '\0' ? n->reason : strerror(-ret),
			ret == -EPERM ? "run as root, or grant CAP_NET_ADMIN"
				      : "it may have ended: make it again");
}
