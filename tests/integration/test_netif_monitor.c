/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks common/netlink/netif_monitor.c: what iproute2 changes is heard of, here and elsewhere. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include <cmocka.h>

#include "netlink/netif.h"
#include "netlink/netns.h"
#include "netns_world.h"

#define LIMIT_MS 20000	 /* for the kernel to tell */
#define LOST_LIMIT 20000 /* changes until some are lost */

static struct netif *here;
static struct netif_monitor *monitor;
static char err[256];

static int
open_world(void **state)
{
	world_enter(state);
	return netif_open(-1, &here, err, sizeof(err));
}

static int
close_world(void **state)
{
	(void)state;
	netif_close(here);
	return 0;
}

static int
open_monitor(void **state)
{
	(void)state;
	return netif_monitor_open(&monitor, err, sizeof(err));
}

static int
close_monitor(void **state)
{
	(void)state;
	netif_monitor_close(monitor);
	monitor = NULL;
	return 0;
}

/* The event that a test waits for, and what came. */
struct wait {
	enum netif_event_type type;
	int nsid;
	const char *name;	 /* of the interface; NULL: of any */
	struct netif_event last; /* of those that fit */
	uint32_t fitting;
	uint32_t ends;	 /* NETIF_GONE of this name and namespace */
	uint32_t others; /* events from another namespace than nsid */
};

static void
take(void *arg, const struct netif_event *event)
{
	struct wait *w = arg;
	bool named = w->name == NULL || strcmp(w->name, event->link.name) == 0;

	if (event->nsid != w->nsid)
		w->others++;
	else if (event->type == NETIF_GONE && named)
		w->ends++;
	if (event->type != w->type || event->nsid != w->nsid || !named)
		return;
	w->last = *event;
	w->fitting++;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads what comes until `wanted` events fit; the last of them. */
static struct netif_event
wait_for(struct wait *w, uint32_t wanted)
{
	struct pollfd ready = { .fd = netif_monitor_fd(monitor), .events = POLLIN };
	int64_t end = now_ms() + LIMIT_MS;

	while (w->fitting < wanted) {
		if (now_ms() > end)
			fail_msg("no event of type %d of %s", w->type, w->name);
		poll(&ready, 1, 100);
		netif_monitor_read(monitor, take, w);
	}
	return w->last;
}

/* Reads until the interface is as the test wants it. */
static struct netif_link
wait_link(const char *name, int nsid, bool (*wanted)(const struct netif_link *link))
{
	struct wait w = { .type = NETIF_CHANGED, .nsid = nsid, .name = name };

	do
		wait_for(&w, w.fitting + 1);
	while (!wanted(&w.last.link));
	return w.last.link;
}

static bool
is_up(const struct netif_link *link)
{
	return link->up;
}

static bool
has_carrier(const struct netif_link *link)
{
	return link->carrier;
}

static bool
lost_carrier(const struct netif_link *link)
{
	return link->up && !link->carrier;
}

static bool
is_down(const struct netif_link *link)
{
	return !link->up;
}

static bool
has_mtu_2000(const struct netif_link *link)
{
	return link->mtu == 2000;
}

static bool
has_new_mac(const struct netif_link *link)
{
	return link->has_mac && link->mac[5] == 0x77;
}

static bool
any(const struct netif_link *link)
{
	return link->index != 0;
}

static uint32_t
index_of(const char *name)
{
	struct netif_link link;

	assert_int_equal(netif_find(here, name, &link, err, sizeof(err)), 0);
	return link.index;
}

static void
test_changes(void **state)
{
	struct netif_link link;

	(void)state;
	world_run("ip link add eth0 type veth peer name peer0");
	link = wait_link("eth0", NETIF_NSID_OWN, any);
	assert_int_equal(link.index, index_of("eth0"));
	world_run("ip link set eth0 up");
	assert_false(wait_link("eth0", NETIF_NSID_OWN, is_up).carrier);
	world_run("ip link set peer0 up");
	wait_link("eth0", NETIF_NSID_OWN, has_carrier);
	world_run("ip link set peer0 down");
	wait_link("eth0", NETIF_NSID_OWN, lost_carrier);
	world_run("ip link set eth0 mtu 2000");
	wait_link("eth0", NETIF_NSID_OWN, has_mtu_2000);
	world_run("ip link set eth0 address 02:00:00:00:00:77");
	wait_link("eth0", NETIF_NSID_OWN, has_new_mac);
	world_run("ip link set eth0 down");
	wait_link("eth0", NETIF_NSID_OWN, is_down);
	world_run("ip link set eth0 name other0");
	assert_int_equal(wait_link("other0", NETIF_NSID_OWN, any).index, link.index);
	world_run("ip link del other0");
}

static void
test_gone(void **state)
{
	struct wait w = { .type = NETIF_GONE, .nsid = NETIF_NSID_OWN, .name = "eth0" };
	uint32_t index;

	(void)state;
	world_run("ip link add eth0 type veth peer name peer0");
	index = index_of("eth0");
	world_run("ip link del eth0");
	wait_for(&w, 1);
	assert_int_equal(w.last.link.index, index);
	assert_false(w.last.moved);
}

/* A port that leaves a bridge is not gone, though the kernel calls that a DELLINK, too. */
static void
test_leaves_bridge(void **state)
{
	struct wait w = { .type = NETIF_CHANGED, .nsid = NETIF_NSID_OWN, .name = "marker0" };

	(void)state;
	world_run("ip link add br0 type bridge && ip link add marker0 type veth peer name eth0 && "
		  "ip link set eth0 master br0 && ip link set eth0 nomaster");
	w.name = "eth0";
	netif_monitor_read(monitor, take, &w);
	w.name = "marker0";
	world_run("ip link set marker0 mtu 2000");
	wait_link("marker0", NETIF_NSID_OWN, has_mtu_2000);
	assert_int_equal(w.ends, 0);
	world_run("ip link del marker0 && ip link del br0");
}

/* A namespace that has a number here; its handle, which keeps it alive. */
static struct netif *
number_namespace(const char *name, int *nsid)
{
	int fd = netns_open(name, err, sizeof(err));
	struct netif *there;

	assert_true(fd >= 0);
	assert_int_equal(netif_open(fd, &there, err, sizeof(err)), 0);
	close(fd);
	assert_int_equal(netif_nsid(here, there, nsid, err, sizeof(err)), 0);
	return there;
}

static void
test_other_namespace(void **state)
{
	struct wait w = { .type = NETIF_GONE, .name = "eth0" };
	int nsid;

	(void)state;
	world_run("ip netns add box && ip -n box link add eth0 type veth peer name peer0");
	netif_close(number_namespace("box", &nsid));
	world_run("ip -n box link set eth0 mtu 2000");
	wait_link("eth0", nsid, has_mtu_2000);
	w.nsid = nsid;
	world_run("ip -n box link del eth0");
	assert_false(wait_for(&w, 1).moved);
	assert_int_equal(w.others, 0);
	world_run("ip netns del box");
}

/* Moved there: gone here, and new there. */
static void
test_moved(void **state)
{
	struct wait w = { .type = NETIF_GONE, .nsid = NETIF_NSID_OWN, .name = "eth0" };
	int nsid;

	(void)state;
	world_run("ip netns add box && ip link add eth0 type veth peer name peer0");
	netif_close(number_namespace("box", &nsid));
	world_run("ip link set eth0 netns box");
	assert_true(wait_for(&w, 1).moved);
	world_run("ip -n box link set eth0 mtu 2000");
	wait_link("eth0", nsid, has_mtu_2000);
	world_run("ip -n box link del eth0 && ip netns del box");
}

/* Neither its number nor the monitor keeps a namespace alive; its end is told once. */
static void
test_namespace_gone(void **state)
{
	struct wait w = { .type = NETIF_NAMESPACE_GONE };
	struct netif *there;

	(void)state;
	world_run("ip netns add box && ip -n box link add eth0 type veth peer name peer0");
	there = number_namespace("box", &w.nsid);
	world_run("ip netns del box");
	world_run("ip link add eth0 type veth peer name peer0 && ip link set eth0 mtu 2000");
	wait_link("eth0", NETIF_NSID_OWN, has_mtu_2000);
	netif_monitor_read(monitor, take, &w);
	assert_int_equal(w.fitting, 0);
	netif_close(there);
	wait_for(&w, 1);
	world_run("ip link del eth0");
	assert_int_equal(w.fitting, 1);
}

/* A namespace without a number is none of the monitor's business. */
static void
test_unnumbered(void **state)
{
	struct wait w = { .type = NETIF_CHANGED, .nsid = NETIF_NSID_OWN, .name = "eth0" };

	(void)state;
	world_run("ip netns add box && ip -n box link add far0 type veth peer name peer0");
	world_run("ip link add eth0 type veth peer name peer0");
	wait_for(&w, 1);
	assert_int_equal(w.others, 0);
	world_run("ip netns del box && ip link del eth0");
}

static void
open_without(void *arg)
{
	(void)arg;
	assert_int_equal(netif_monitor_open(&monitor, err, sizeof(err)), 0);
}

/* Changes of the own namespace are seen, and of it alone. */
static void
test_without_rights(void **state)
{
	struct wait w = { .type = NETIF_CHANGED, .nsid = NETIF_NSID_OWN, .name = "eth0" };
	int nsid;

	(void)state;
	world_run("ip netns add box");
	netif_close(number_namespace("box", &nsid));
	world_without(CAP_NET_BROADCAST, open_without, NULL);
	world_run("ip -n box link add far0 type veth peer name peer0");
	world_run("ip link add eth0 type veth peer name peer0");
	wait_for(&w, 1);
	assert_int_equal(w.others, 0);
	world_run("ip link del eth0 && ip netns del box");
}

/* More changes than the kernel keeps: that is told last, and later ones are heard of again. */
static void
test_events_lost(void **state)
{
	struct wait w = { .type = NETIF_EVENTS_LOST, .nsid = NETIF_NSID_OWN };
	struct wait changed = { .type = NETIF_CHANGED, .nsid = NETIF_NSID_OWN, .name = "eth0" };
	struct pollfd ready = { .fd = netif_monitor_fd(monitor), .events = POLLIN };
	uint32_t index, i;

	(void)state;
	world_run("ip link add eth0 type veth peer name peer0");
	index = index_of("eth0");
	for (i = 0; i < LOST_LIMIT; i++)
		assert_int_equal(netif_set_mtu(here, index, 1500 + i % 2, err, sizeof(err)), 0);
	wait_for(&w, 1);
	assert_int_equal(poll(&ready, 1, 0), 0);
	world_run("ip link set eth0 mtu 2000");
	assert_int_equal(wait_for(&changed, 1).link.mtu, 2000);
	netif_monitor_read(monitor, take, &w);
	assert_int_equal(w.fitting, 1);
	world_run("ip link del eth0");
}

static void
test_nothing_to_read(void **state)
{
	struct wait w = { .type = NETIF_CHANGED, .nsid = NETIF_NSID_OWN };
	struct pollfd ready = { .fd = netif_monitor_fd(monitor), .events = POLLIN };

	(void)state;
	netif_monitor_read(monitor, take, &w);
	assert_int_equal(poll(&ready, 1, 0), 0);
	netif_monitor_read(monitor, take, &w);
	netif_monitor_close(NULL);
}

#define MONITOR_TEST(name) cmocka_unit_test_setup_teardown(name, open_monitor, close_monitor)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MONITOR_TEST(test_changes),
		MONITOR_TEST(test_gone),
		MONITOR_TEST(test_leaves_bridge),
		MONITOR_TEST(test_other_namespace),
		MONITOR_TEST(test_moved),
		MONITOR_TEST(test_namespace_gone),
		MONITOR_TEST(test_unnumbered),
		cmocka_unit_test_teardown(test_without_rights, close_monitor),
		MONITOR_TEST(test_events_lost),
		MONITOR_TEST(test_nothing_to_read),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
