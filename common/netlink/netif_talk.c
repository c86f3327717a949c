/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See netif_talk.h. Every request asks for an acknowledgement or a list, so that every reply has an end.
 * What is left of an earlier reply is recognized by its sequence number, and skipped.
 */
#include "netif_talk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "text/text.h"

struct nlmsghdr *
netif_talk_start(struct netif *n, uint16_t type, uint16_t flags, size_t extra, void **header)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(n->request);

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	request->nlmsg_seq = ++n->seq;
	*header = mnl_nlmsg_put_extra_header(request, extra);
	return request;
}

/* The state of reading a reply. */
struct progress {
	bool ended;
	bool interrupted;
	int result; /* first failure; 0: none yet */
	char reason[NETIF_REASON_MAX];
};

/* Reads the kernel's message, in attributes after the acknowledgement (NETLINK_EXT_ACK). */
static void
read_reason(const struct nlmsghdr *message, struct progress *p)
{
	size_t offset = sizeof(struct nlmsgerr);
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	if ((message->nlmsg_flags & NLM_F_ACK_TLVS) == 0)
		return;
	if ((message->nlmsg_flags & NLM_F_CAPPED) == 0)
		offset += mnl_nlmsg_get_payload_len(&error->msg);
	mnl_attr_for_each (attr, message, offset) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
				mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			snprintf(p->reason, sizeof(p->reason), "%s", mnl_attr_get_str(attr));
	}
}

static void
end_answer(const struct nlmsghdr *message, struct progress *p)
{
	const int32_t *code = mnl_nlmsg_get_payload(message);

	p->ended = true;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*code))
		p->result = message->nlmsg_type == NLMSG_DONE ? p->result : -EBADMSG;
	else if (p->result == 0 && *code < 0)
		p->result = *code;
	if (message->nlmsg_type == NLMSG_ERROR &&
			mnl_nlmsg_get_payload_len(message) >= sizeof(struct nlmsgerr))
		read_reason(message, p);
}

static void
read_message(struct netif *n, const struct nlmsghdr *message,
		int (*take)(const struct nlmsghdr *message, void *arg), void *arg,
		struct progress *p)
{
	if (message->nlmsg_seq != n->seq ||
			!mnl_nlmsg_portid_ok(message, mnl_socket_get_portid(n->socket)))
		return;
	if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		p->interrupted = true;
	if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE)
		end_answer(message, p);
	else if (message->nlmsg_type >= NLMSG_MIN_TYPE && take != NULL && p->result == 0)
		p->result = take(message, arg);
}

static int
exchange(struct netif *n, struct nlmsghdr *request,
		int (*take)(const struct nlmsghdr *message, void *arg), void *arg,
		struct progress *p)
{
	const struct nlmsghdr *message;
	ssize_t got;
	int left;

	if (mnl_socket_sendto(n->socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (!p->ended) {
		got = mnl_socket_recvfrom(n->socket, n->answer, sizeof(n->answer));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		left = (int)got;
		for (message = (const struct nlmsghdr *)n->answer;
				!p->ended && mnl_nlmsg_ok(message, left);
				message = mnl_nlmsg_next(message, &left))
			read_message(n, message, take, arg, p);
	}
	return p->result == 0 && p->interrupted ? -EINTR : p->result;
}

int
netif_talk(struct netif *n, struct nlmsghdr *request,
		int (*take)(const struct nlmsghdr *message, void *arg), void *arg)
{
	struct progress p = { 0 };
	int ret = exchange(n, request, take, arg, &p);

	if (ret < 0)
		memcpy(n->reason, p.reason, sizeof(n->reason));
	return ret;
}

static int
take_name(const struct nlmsghdr *message, void *arg)
{
	struct netif_link link;
	int ret = netif_link_read(message, &link);

	if (ret == 0)
		snprintf(arg, IFNAMSIZ, "%s", link.name);
	return ret;
}

/* The present name of the interface; its number when it is gone. */
static void
describe(struct netif *n, uint32_t index, char *text, size_t size)
{
	char name[IFNAMSIZ] = "";
	struct ifinfomsg *info;
	struct nlmsghdr *request;

	request = netif_talk_start(n, RTM_GETLINK, NLM_F_ACK, sizeof(*info), (void **)&info);
	info->ifi_index = (int)index;
	if (netif_talk(n, request, take_name, name) == 0 && name[0] != '\0')
		snprintf(text, size, "%s", name);
	else
		snprintf(text, size, "number %u", index);
}

static const char *
usual_help(int code)
{
	switch (code) {
	case -EPERM:
		return "run as root, or grant CAP_NET_ADMIN (setcap cap_net_admin+ep PROGRAM, or "
		       "AmbientCapabilities= of its systemd unit)";
	case -ENODEV:
		return "it was deleted, or moved to another network namespace";
	case -EBUSY:
		return "something else holds it; try again";
	default:
		return "`ip -d link` and `ip address` show what it is like";
	}
}

int
netif_talk_fail(struct netif *n, uint32_t index, int code, const char *what, const char *next,
		char *err, size_t err_size)
{
	char reason[NETIF_REASON_MAX], name[IFNAMSIZ + 8];

	snprintf(reason, sizeof(reason), "%s", n->reason[0] != '\0' ? n->reason : strerror(-code));
	describe(n, index, name, sizeof(name));
	return text_fail(err, err_size, code, "interface %s: %s: %s; %s", name, what, reason,
			next != NULL ? next : usual_help(code));
}
