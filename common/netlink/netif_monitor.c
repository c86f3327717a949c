/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See netif.h: one socket that gets the changes of interfaces, in its own namespace and, with
 * NETLINK_LISTEN_ALL_NSID, in all namespaces that have a number there. A control message tells the
 * namespace of each message; without one it is the socket's own. Control loop only.
 */
#include "netif.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/net_namespace.h>

#include "netif_talk.h"
#include "text/text.h"

#define EVENT_SIZE 32768
#define READS_MAX 64		 /* in one call */
#define QUEUE_SIZE (1024 * 1024) /* bytes that the kernel is asked to keep; it may keep less */

struct netif_monitor {
	struct mnl_socket *socket;
	bool lost; /* events were lost, and NETIF_EVENTS_LOST is pending */
	_Alignas(struct nlmsghdr) uint8_t buffer[EVENT_SIZE];
};

static int
subscribe(struct netif_monitor *m)
{
	int on = 1, size = QUEUE_SIZE, groups[] = { RTNLGRP_LINK, RTNLGRP_NSID }, i;
	int fd;

	m->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (m->socket == NULL)
		return -errno;
	fd = mnl_socket_get_fd(m->socket);
	if (mnl_socket_bind(m->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* without CAP_NET_ADMIN only the second works, up to the system's limit */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* without CAP_NET_BROADCAST this fails, and only the own namespace is seen */
	(void)mnl_socket_setsockopt(m->socket, NETLINK_LISTEN_ALL_NSID, &on, sizeof(on));
	for (i = 0; i < (int)MNL_ARRAY_SIZE(groups); i++)
		if (mnl_socket_setsockopt(m->socket, NETLINK_ADD_MEMBERSHIP, &groups[i],
				    sizeof(groups[i])) < 0)
			return -errno;
	return 0;
}

int
netif_monitor_open(struct netif_monitor **out, char *err, size_t err_size)
{
	struct netif_monitor *m = calloc(1, sizeof(*m));
	int ret = m == NULL ? -ENOMEM : subscribe(m);

	if (ret < 0) {
		netif_monitor_close(m);
		return text_fail(err, err_size, ret,
				"network interfaces: cannot follow their changes by netlink: %s; does "
				"something (seccomp, RestrictAddressFamilies=) forbid AF_NETLINK?",
				strerror(-ret));
	}
	*out = m;
	return 0;
}

void
netif_monitor_close(struct netif_monitor *m)
{
	if (m == NULL)
		return;
	if (m->socket != NULL)
		mnl_socket_close(m->socket);
	free(m);
}

int
netif_monitor_fd(const struct netif_monitor *m)
{
	return mnl_socket_get_fd(m->socket);
}

/* The value of an attribute of four bytes; false: the message has none of this type. */
static bool
find_number(const struct nlmsghdr *message, size_t header, int type, int *out)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, message, header) {
		if (mnl_attr_get_type(attr) != type || mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
			continue;
		*out = (int)mnl_attr_get_u32(attr);
		return true;
	}
	return false;
}

/* Makes an event of a message about an interface. False: it is about something else. */
static bool
read_link_event(const struct nlmsghdr *message, struct netif_event *event)
{
	int moved_to;

	if (netif_link_read(message, &event->link) < 0)
		return false;
	event->type = message->nlmsg_type == RTM_DELLINK ? NETIF_GONE : NETIF_CHANGED;
	event->moved = event->type == NETIF_GONE &&
			find_number(message, sizeof(struct ifinfomsg), IFLA_NEW_NETNSID, &moved_to);
	return true;
}

/*
 * Makes an event of a message from the namespace nsid. False: the message is ignored. Each namespace numbers
 * the others in its own way, so of messages about numbers only those from our own namespace count.
 */
static bool
read_event(const struct nlmsghdr *message, int nsid, struct netif_event *event)
{
	*event = (struct netif_event){ .nsid = nsid };
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return read_link_event(message, event);
	case RTM_DELNSID:
		event->type = NETIF_NAMESPACE_GONE;
		return nsid == NETIF_NSID_OWN &&
				find_number(message, sizeof(struct rtgenmsg), NETNSA_NSID,
						&event->nsid);
	default:
		return false;
	}
}

/* The number of the namespace that a message is from, as the control message tells. */
static int
origin(struct msghdr *msg)
{
	struct cmsghdr *c;
	int nsid = NETIF_NSID_OWN;

	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
			memcpy(&nsid, CMSG_DATA(c), sizeof(nsid));
	return nsid;
}

/*
 * Receives one datagram. Returns its length; 0: there is none; -ENOBUFS: some were lost. Datagrams that
 * the kernel did not send (nl_pid is not 0) are reported as length 1, which holds no message.
 */
static ssize_t
receive(struct netif_monitor *m, int *nsid)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { m->buffer, sizeof(m->buffer) };
	struct sockaddr_nl from = { 0 };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(netif_monitor_fd(m), &msg, 0);

	if (got < 0)
		return errno == ENOBUFS ? -ENOBUFS : errno == EINTR ? 1 : 0;
	if ((msg.msg_flags & MSG_TRUNC) != 0)
		return -ENOBUFS;
	*nsid = origin(&msg);
	return from.nl_pid == 0 ? got : 1;
}

/*
 * After the first loss the kernel drops further messages silently until the queue is read. So the event
 * is reported at the end of the queue: a reader that then looks at everything sees all that was dropped.
 */
static void
tell_loss(struct netif_monitor *m, void (*handle)(void *arg, const struct netif_event *event),
		void *arg)
{
	struct netif_event event = { .type = NETIF_EVENTS_LOST, .nsid = NETIF_NSID_OWN };

	if (!m->lost)
		return;
	m->lost = false;
	handle(arg, &event);
}

void
netif_monitor_read(struct netif_monitor *m,
		void (*handle)(void *arg, const struct netif_event *event), void *arg)
{
	const struct nlmsghdr *message;
	struct netif_event event;
	int i, left, nsid = NETIF_NSID_OWN;

	for (i = 0; i < READS_MAX; i++) {
		left = (int)receive(m, &nsid);
		if (left == 0) {
			tell_loss(m, handle, arg);
			return;
		}
		if (left < 0)
			m->lost = true;
		for (message = (const struct nlmsghdr *)m->buffer; mnl_nlmsg_ok(message, left);
				message = mnl_nlmsg_next(message, &left))
			if (read_event(message, nsid, &event))
				handle(arg, &event);
	}
}
