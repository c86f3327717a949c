/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a kernel port has done on the helper thread: its interface made, changed, looked at and
 * removed.
 *
 * An interface for another namespace is made in the switch's own, under a name that is nobody's, and
 * moved. Made there at once it would keep that namespace alive for as long as the port is there, since
 * a TAP's descriptor holds the namespace that it was opened in; so a container can end, and its
 * interface with it.
 */
#include "kernel_port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netlink/netns.h"
#include "text/text.h"

/* A handle where the interface is now, and the interface. -ENODEV: it is gone. */
static int
open_interface(const struct kernel_job *job, struct netif **out, struct netif_link *link, char *err,
		size_t err_size)
{
	char name[IFNAMSIZ];
	int ret = tap_name(&job->port->tap, name), netns;

	if (ret < 0) {
		text_fail(err, err_size, ret,
				"interface %s is gone; delete the port and add it again",
				job->view.link.name);
		return -ENODEV;
	}
	netns = netns_of_tap(job->port->tap.fds[0], err, err_size);
	if (netns < 0 && netns != -EPERM)
		return netns == -EBADFD ? -ENODEV : netns;
	/* Who may not know the namespace has not moved the interface out of its own. */
	ret = netif_open(netns < 0 ? -1 : netns, out, err, err_size);
	if (netns >= 0)
		close(netns);
	if (ret < 0)
		return ret;
	ret = netif_find(*out, name, link, err, err_size);
	if (ret < 0)
		netif_close(*out);
	return ret;
}

/* Where the interface is, which somebody may have moved. Who may not know has moved none. */
static void
name_netns(const struct kernel_job *job, char name[PORT_PATH_MAX])
{
	const char *setting = job->netns;
	int netns = netns_of_tap(job->port->tap.fds[0], NULL, 0);
	int own = netns >= 0 ? netns_own(NULL, 0) : -1;

	if (netns < 0 || (setting[0] != '\0' && netns_is_called(netns, setting)))
		snprintf(name, PORT_PATH_MAX, "%s", setting);
	else if (own >= 0 && netns_same(netns, own))
		name[0] = '\0';
	else if (!netns_find_name(netns, name, PORT_PATH_MAX))
		snprintf(name, PORT_PATH_MAX, "a namespace without a name");
	if (netns >= 0)
		close(netns);
	if (own >= 0)
		close(own);
}

/* Fills the view. `link`: the interface, as seen through `n`. */
static int
see(struct kernel_job *job, struct netif *own, struct netif *n, const struct netif_link *link)
{
	int ret = netif_get(n, link->index, &job->view.link, job->err, sizeof(job->err));
	bool known = job->view.netns_known;
	int before = job->view.nsid;

	if (ret == 0)
		ret = netif_nsid(own, n, &job->view.nsid, job->err, sizeof(job->err));
	/* Its name may be gone before it is. */
	if (ret == 0 && (!known || job->view.nsid != before))
		name_netns(job, job->view.netns);
	job->view.netns_known = true;
	return ret;
}

void
kernel_job_look(void *arg)
{
	struct kernel_job *job = arg;
	struct netif *own, *n;
	struct netif_link link;

	job->ret = netif_open(-1, &own, job->err, sizeof(job->err));
	if (job->ret < 0)
		return;
	job->ret = open_interface(job, &n, &link, job->err, sizeof(job->err));
	if (job->ret == 0) {
		job->ret = see(job, own, n, &link);
		netif_close(n);
	}
	if (job->ret == -ENODEV)
		job->view.fate = KERNEL_DELETED;
	netif_close(own);
}

/* The backend's part of a change, and the cable: pulled while the port is disabled. */
static int
switch_over(struct kernel_job *job, const struct port_settings *settings, char *err,
		size_t err_size)
{
	int ret = job->backend->change(job->port, settings, err, err_size);

	if (ret < 0)
		return ret;
	ret = tap_set_carrier(&job->port->tap, settings->enabled);
	return ret == 0 ? 0
			: text_fail(err, err_size, ret,
					  "interface %s: its carrier cannot be changed: %s",
					  job->view.link.name, strerror(-ret));
}

/* ---- Start ---- */

/* How the interface is to be. What may not be changed stays, where the settings do not insist. */
static void
make_target(const struct port_settings *settings, const struct kernel_config *now, bool may,
		struct kernel_config *target)
{
	*target = (struct kernel_config){
		.mtu = may ? settings->mtu : now->mtu,
		.up = may || !settings->up ? settings->up : now->up,
	};
	memcpy(target->mac, settings->mac.given ? settings->mac.bytes : now->mac,
			sizeof(target->mac));
	kernel_if_addresses(settings, target);
}

static int
configure(struct kernel_job *job, struct netif *n, const struct netif_link *link, bool may)
{
	struct kernel_config target;
	int ret = 0;

	kernel_if_found(link, &job->found);
	if (!may)
		ret = kernel_if_refuse(job->wanted, link, job->err, sizeof(job->err));
	if (ret == 0)
		ret = switch_over(job, job->wanted, job->err, sizeof(job->err));
	if (ret < 0)
		return ret;
	make_target(job->wanted, &job->found, may, &target);
	return kernel_if_apply(n, link->index, &job->found, &target, job->err, sizeof(job->err));
}

/* Moves the new interface to the namespace that the settings name. */
static int
move(struct kernel_job *job, struct netif *own, struct netif_link *link, struct netif **out)
{
	int netns = netns_open(job->wanted->netns, job->err, sizeof(job->err)), ret;

	if (netns < 0)
		return netns;
	ret = netif_open(netns, out, job->err, sizeof(job->err));
	close(netns);
	if (ret < 0)
		return ret;
	ret = netif_move(own, link->index, *out, job->wanted->ifname, &link->index, job->err,
			sizeof(job->err));
	if (ret == 0)
		ret = netif_get(*out, link->index, link, job->err, sizeof(job->err));
	if (ret < 0)
		netif_close(*out);
	return ret;
}

/* The interface was made, in the namespace of `own`. */
static int
settle(struct kernel_job *job, struct netif *own, bool may)
{
	struct netif *there = own;
	struct netif_link link;
	char name[IFNAMSIZ];
	int ret = tap_name(&job->port->tap, name);

	if (ret < 0)
		return text_fail(job->err, sizeof(job->err), ret,
				"interface %s was deleted at once by someone else",
				job->wanted->ifname);
	ret = netif_find(own, name, &link, job->err, sizeof(job->err));
	if (ret == 0 && job->wanted->netns[0] != '\0')
		ret = move(job, own, &link, &there);
	if (ret < 0)
		return ret;
	job->view.link = link;
	ret = configure(job, there, &link, may);
	if (ret == 0)
		ret = see(job, own, there, &link);
	if (there != own)
		netif_close(there);
	return ret;
}

/* Of the backends that may be, the first that can be; `why` tells. As kernel_backend's open(). */
static int
open_backend(struct kernel_job *job, struct netif *own, const char *ifname)
{
	const struct port_settings *wanted = job->wanted;
	char why[PORT_TEXT_MAX];
	int ret;

	if (wanted->backend != PORT_BACKEND_TAP) {
		bool asked = wanted->backend == PORT_BACKEND_VHOST_NET;

		job->backend = &kernel_vhost_net;
		ret = kernel_vhost_net_usable(why, sizeof(why));
		if (ret == 0)
			ret = kernel_vhost_net.open(
					job->port, own, ifname, wanted, why, sizeof(why));
		snprintf(job->why, sizeof(job->why), "%s",
				asked ? "asked for" : "/dev/vhost-net can be used");
		if (ret >= 0)
			return ret;
		if (asked)
			return text_fail(job->err, sizeof(job->err), ret, "%s", why);
		snprintf(job->why, sizeof(job->why), "no vhost-net: %.*s", PORT_TEXT_MAX - 16, why);
	} else {
		snprintf(job->why, sizeof(job->why), "asked for");
	}
	job->backend = &kernel_tap;
	return kernel_tap.open(job->port, own, ifname, wanted, job->err, sizeof(job->err));
}

static int
make(struct kernel_job *job, struct netif *own)
{
	const char *ifname = job->wanted->netns[0] == '\0' ? job->wanted->ifname : NULL;
	bool may = netif_may_configure(own, NULL, 0) == 0;
	int ret = 0;

	if (!may)
		ret = kernel_if_refuse(job->wanted, NULL, job->err, sizeof(job->err));
	if (ret == 0)
		ret = open_backend(job, own, ifname);
	if (ret < 0)
		return ret;
	job->adopted = ret == 1;
	ret = settle(job, own, may);
	if (ret < 0)
		job->backend->close(job->port);
	return ret;
}

void
kernel_job_start(void *arg)
{
	struct kernel_job *job = arg;
	struct netif *own;

	job->ret = netif_open(-1, &own, job->err, sizeof(job->err));
	if (job->ret < 0)
		return;
	job->ret = make(job, own);
	netif_close(own);
}

/* ---- Changes ---- */

/* What nobody asked to change stays as it is, also where others have changed it meanwhile. */
static void
keep_unasked(const struct kernel_job *job, const struct kernel_config *now,
		struct kernel_config *target)
{
	const struct port_settings *old = job->old, *wanted = job->wanted;

	if (job->assert_all)
		return;
	if (old->mtu == wanted->mtu)
		target->mtu = now->mtu;
	if (old->up == wanted->up)
		target->up = now->up;
	if (old->mac.given == wanted->mac.given &&
			memcmp(old->mac.bytes, wanted->mac.bytes, sizeof(old->mac.bytes)) == 0)
		memcpy(target->mac, now->mac, sizeof(target->mac));
}

/* From however the interface is now. */
static int
bring(struct netif *n, uint32_t index, const struct port_settings *addressed,
		const struct kernel_config *target, char *err, size_t err_size)
{
	struct kernel_config from;
	struct netif_link link;
	int ret = netif_get(n, index, &link, err, err_size);

	if (ret < 0)
		return ret;
	kernel_if_found(&link, &from);
	kernel_if_addresses(addressed, &from);
	return kernel_if_apply(n, index, &from, target, err, err_size);
}

/* The backend comes first: starting its device anew may give the interface another MAC. */
static int
change(struct kernel_job *job, struct netif *n, const struct netif_link *link)
{
	bool may = netif_may_configure(n, NULL, 0) == 0;
	struct kernel_config now, target;
	char ignored[PORT_TEXT_MAX];
	int ret = 0;

	if (!may)
		ret = kernel_if_refuse(job->wanted, link, job->err, sizeof(job->err));
	if (ret < 0)
		return ret;
	kernel_if_found(link, &now);
	kernel_if_addresses(job->old, &now);
	make_target(job->wanted, &now, may, &target);
	keep_unasked(job, &now, &target);
	ret = switch_over(job, job->wanted, job->err, sizeof(job->err));
	if (ret == 0)
		ret = bring(n, link->index, job->old, &target, job->err, sizeof(job->err));
	if (ret < 0) {
		(void)switch_over(job, job->old, ignored, sizeof(ignored));
		(void)bring(n, link->index, job->old, &now, NULL, 0);
	}
	return ret;
}

void
kernel_job_set(void *arg)
{
	struct kernel_job *job = arg;
	struct netif_link link;
	struct netif *n;

	job->ret = open_interface(job, &n, &link, job->err, sizeof(job->err));
	if (job->ret < 0)
		return;
	job->ret = change(job, n, &link);
	if (job->ret == 0)
		job->ret = netif_get(n, link.index, &job->view.link, job->err, sizeof(job->err));
	netif_close(n);
}

/* ---- The end ---- */

/* An interface that stays is left as it was found, as far as that is possible. */
static void
restore(struct kernel_job *job)
{
	struct kernel_config now;
	struct netif_link link;
	struct netif *n;

	if (open_interface(job, &n, &link, NULL, 0) < 0)
		return;
	kernel_if_found(&link, &now);
	kernel_if_addresses(job->old, &now);
	kernel_if_apply(n, link.index, &now, &job->found, NULL, 0);
	netif_close(n);
}

void
kernel_job_close(void *arg)
{
	struct kernel_job *job = arg;

	if (job->adopted && job->view.fate == KERNEL_ALIVE)
		restore(job);
	job->backend->close(job->port);
}
