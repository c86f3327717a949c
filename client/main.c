/* SPDX-License-Identifier: BSD-3-Clause */
/* vuser-client: the order of start and end. Main thread; the only other one is DPDK's for interrupts. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "backend/buffers.h"
#include "backend/client.h"
#include "backend/eal.h"
#include "backend/eal_log.h"
#include "backend/endpoint_socket.h"
#include "system/last_words.h"
#include "process/report.h"
#include "roles/role.h"
#include "settings/settings.h"
#include "system/standard_fds.h"
#include "process/stop.h"
#include "text/text.h"

#define TIMER_SLACK_NS 1000 /* the default makes a short sleep 50 us too long */

/* Waits for all sockets. Before DPDK starts, because that costs memory and a tenth of a second. */
static int
wait_for_sockets(const struct settings *s, char *err, size_t err_size)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < s->path_count && !s->server && ret == 0; i++)
		ret = endpoint_socket_wait(s->paths[i], s->wait, err, err_size);
	return ret;
}

static int
open_devices(struct client *c, char *err, size_t err_size)
{
	const struct settings *s = c->settings;
	int ret;

	c->pool = buffers_create(s);
	if (c->pool == NULL)
		return text_fail(err, err_size, -rte_errno,
				"no memory for the rings' buffers: %s; a smaller --queue-size needs "
				"less",
				rte_strerror(rte_errno));
	while (c->device_count < s->path_count) {
		ret = device_open(&c->devices[c->device_count], s, c->device_count, c->pool, err,
				err_size);
		if (ret != 0)
			return ret;
		c->device_count++;
	}
	if (s->role != ROLE_KERNEL)
		return 0;
	ret = exception_open(&c->exception, s, &c->devices[c->device_count], &c->devices[0],
			c->pool, err, err_size);
	if (ret == 0) {
		c->has_exception = true;
		c->device_count++;
	}
	return ret;
}

static void
close_devices(struct client *c)
{
	if (c->has_exception) {
		exception_close(&c->exception);
		c->device_count--;
	}
	while (c->device_count > 0)
		device_close(&c->devices[--c->device_count]);
	rte_mempool_free(c->pool);
}

/* Tells which backend carries frames to the kernel, and why. */
static void
tell_exception(const struct client *c, struct report *r)
{
	bool vhost = c->settings->backend == SETTINGS_BACKEND_VHOST_NET;
	const char *backend = vhost ? "vhost-net" : "tap", *ifname = c->settings->ifname;
	const char *netns = c->settings->netns, *offloads = "none: plain frames";

	if (c->exception.d->tx_offloads != 0 || c->exception.d->rx_offloads != 0)
		offloads = (c->exception.d->tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) != 0
				? "checksums and segmentation"
				: "checksums";
	fprintf(stderr, "%s: %s, because %s; offloads: %s\n", ifname, vhost ? backend : "net_tap",
			c->exception.why, offloads);
	json_object_set_new(report_json(r), "kernel",
			json_pack("{ssssss?ssss}", "ifname", ifname, "backend", backend, "netns",
					netns, "why", c->exception.why, "offloads", offloads));
}

/* Tells which ports are up: on stderr, also for a script that waits, and in the report. */
static void
tell_ready(const struct client *c, struct report *r)
{
	json_t *ports = json_array();
	const struct device *d;
	char mac[TEXT_MAC_SIZE], features[32];
	size_t i;

	fputs("ready:", stderr);
	for (i = 0; i < c->device_count; i++) {
		d = &c->devices[i];
		text_format_mac(d->mac, mac);
		snprintf(features, sizeof(features), "0x%" PRIx64, d->features);
		fprintf(stderr, "%s MAC %s on %s", i > 0 ? "," : "", mac, d->path);
		json_array_append_new(ports,
				json_pack("{ssssss}", "path", d->path, "mac", mac, "features",
						features));
	}
	fputc('\n', stderr);
	json_object_set_new(report_json(r), "ports", ports);
}

static enum status
run_role(struct client *c, struct report *r)
{
	static enum status (*const roles[ROLE_COUNT])(struct client * c, struct report * r) = {
		[ROLE_RESPOND] = role_respond,
		[ROLE_PING] = role_ping,
		[ROLE_SEND] = role_send,
		[ROLE_RECEIVE] = role_receive,
		[ROLE_ECHO] = role_echo,
		[ROLE_BENCH] = role_bench,
		[ROLE_KERNEL] = role_kernel,
	};

	return roles[c->settings->role](c, r);
}

static int
run(struct settings *s, struct report *r)
{
	static struct client c;
	char err[512];
	int ret = 0;

	c.settings = s;
	if (s->role == ROLE_KERNEL)
		ret = exception_choose(s, c.exception.why, err, sizeof(err));
	if (ret == 0)
		ret = wait_for_sockets(s, err, sizeof(err));
	if (ret == 0)
		ret = eal_open(s, buffers_memory(s), err, sizeof(err));
	if (ret != 0) {
		report_error(r, "%s", err);
		return status_of_start(ret);
	}
	ret = open_devices(&c, err, sizeof(err));
	if (ret != 0) {
		report_error(r, "%s", err);
		ret = status_of_start(ret);
	} else {
		if (c.has_exception)
			tell_exception(&c, r);
		tell_ready(&c, r);
		ret = run_role(&c, r);
	}
	close_devices(&c);
	eal_close();
	return ret;
}

int
main(int argc, char *argv[])
{
	static struct settings s;
	struct report *r;
	int status;

	if (standard_fds_open() != 0)
		return STATUS_NO_START; /* no descriptor to write a message to */
	last_words_open("vuser-client", eal_log_dump);
	status = settings_open(argc, argv, &s);
	if (status != OPTIONS_GO_ON)
		return status;
	r = report_create(s.role_name, s.json);
	if (r == NULL || stop_open() != 0) {
		perror("vuser-client: cannot start");
		return STATUS_NO_START;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
	return report_finish(r, run(&s, r));
}
