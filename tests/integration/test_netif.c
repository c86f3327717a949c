/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks common/netlink/netif.c, netif_link.c and netif_talk.c against the kernel, as iproute2 sees it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>

#include <cmocka.h>

#include "netlink/netif.h"
#include "netlink/netns.h"
#include "netns_world.h"
#include "text/text.h"

static struct netif *here;
static char err[256];
static char buf[64];

static int
set_up(void **state)
{
	world_enter(state);
	return netif_open(-1, &here, err, sizeof(err));
}

static int
tear_down(void **state)
{
	(void)state;
	netif_close(here);
	return 0;
}

static struct netif_link
find(struct netif *n, const char *name)
{
	struct netif_link link;

	if (netif_find(n, name, &link, err, sizeof(err)) < 0)
		fail_msg("%s", err);
	return link;
}

static uint32_t
add_veth(const char *name)
{
	world_run("ip link add %s type veth peer name %s-peer", name, name);
	return find(here, name).index;
}

/* The call failed with that code, and its words have both texts in them. */
static void
check_refused(int ret, int code, const char *a, const char *b)
{
	assert_int_equal(ret, code);
	if (strstr(err, a) == NULL || strstr(err, b) == NULL)
		fail_msg("'%s' or '%s' is not in: %s", a, b, err);
}

static void
check_same(const char *netns, const struct netif_link *link)
{
	char mac[TEXT_MAC_SIZE];

	assert_int_equal(link->index, world_number(netns, link->name, "ifindex"));
	assert_int_equal(link->mtu, world_number(netns, link->name, "mtu"));
	assert_int_equal(link->min_mtu, world_number(netns, link->name, "min_mtu"));
	assert_int_equal(link->max_mtu, world_number(netns, link->name, "max_mtu"));
	assert_int_equal(link->up, world_flag(netns, link->name, "UP"));
	assert_int_equal(link->carrier, world_flag(netns, link->name, "LOWER_UP"));
	if (link->has_mac)
		assert_string_equal(text_format_mac(link->mac, mac),
				world_text(netns, link->name, "address", buf));
}

static void
test_find(void **state)
{
	struct netif_link link, by_index;

	(void)state;
	add_veth("find0");
	link = find(here, "find0");
	assert_string_equal(link.name, "find0");
	assert_string_equal(link.kind, "veth");
	assert_true(link.has_mac);
	assert_false(link.is_tun);
	check_same("", &link);
	assert_int_equal(netif_get(here, link.index, &by_index, err, sizeof(err)), 0);
	assert_memory_equal(&by_index, &link, sizeof(link));
	link = find(here, "lo");
	assert_string_equal(link.kind, "");
	check_same("", &link);
	world_run("ip link del find0");
}

static void
test_unknown(void **state)
{
	struct netif_link link;

	(void)state;
	check_refused(netif_find(here, "nobody0", &link, err, sizeof(err)), -ENODEV,
			"interface nobody0", "`ip link`");
	check_refused(netif_find(here, "", &link, err, sizeof(err)), -EINVAL, "1 to 15", "''");
	check_refused(netif_get(here, 4711, &link, err, sizeof(err)), -ENODEV, "number 4711",
			"deleted, or moved");
	check_refused(netif_set_up(here, 4711, true, err, sizeof(err)), -ENODEV, "number 4711",
			"deleted, or moved");
}

static void
test_names(void **state)
{
	static const char *const good[] = { "a", "vsw0", "fifteen-letters", "a.b_c@d", "..." };
	static const char *const bad[] = { "", "sixteen--letters", ".", "..", "a/b", "a:b", "a%d",
		"a b", "a\tb", "a\x7f" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(netif_check_name(good[i], err, sizeof(err)), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_refused(netif_check_name(bad[i], err, sizeof(err)), -EINVAL, bad[i], "name");
}

static void
test_mtu(void **state)
{
	uint32_t index = add_veth("mtu0");

	(void)state;
	assert_int_equal(netif_set_mtu(here, index, 9000, err, sizeof(err)), 0);
	assert_int_equal(world_number("", "mtu0", "mtu"), 9000);
	check_refused(netif_set_mtu(here, index, 70000, err, sizeof(err)), -EINVAL,
			"interface mtu0: cannot set the MTU to 70000: mtu greater than device maximum",
			"it takes 68 to 65535");
	check_refused(netif_set_mtu(here, index, 67, err, sizeof(err)), -EINVAL, "67", "68");
	assert_int_equal(world_number("", "mtu0", "mtu"), 9000);
	world_run("ip link del mtu0");
}

static void
test_mac(void **state)
{
	static const uint8_t good[6] = { 2, 0, 0, 0, 0, 0x2a }, group[6] = { 3, 0, 0, 0, 0, 1 };
	uint32_t index = add_veth("mac0");

	(void)state;
	assert_int_equal(netif_set_mac(here, index, good, err, sizeof(err)), 0);
	assert_string_equal(world_text("", "mac0", "address", buf), "02:00:00:00:00:2a");
	check_refused(netif_set_mac(here, index, group, err, sizeof(err)), -EADDRNOTAVAIL,
			"interface mac0: cannot set the MAC address to 03:00:00:00:00:01",
			"first byte even");
	assert_string_equal(world_text("", "mac0", "address", buf), "02:00:00:00:00:2a");
	world_run("ip link del mac0");
}

static void
test_up(void **state)
{
	uint32_t index = add_veth("up0");
	struct netif_link link;

	(void)state;
	assert_int_equal(netif_set_up(here, index, true, err, sizeof(err)), 0);
	assert_true(world_flag("", "up0", "UP"));
	link = find(here, "up0");
	assert_true(link.up);
	assert_false(link.carrier);
	world_run("ip link set up0-peer up");
	link = find(here, "up0");
	assert_true(link.carrier);
	check_same("", &link);
	assert_int_equal(netif_set_up(here, index, false, err, sizeof(err)), 0);
	assert_false(world_flag("", "up0", "UP"));
	world_run("ip link del up0");
}

static void
test_tun(void **state)
{
	struct netif_link link;
	int fd = world_open_tap("tap0");

	(void)state;
	world_run("ip tuntap add made0 mode tap multi_queue vnet_hdr user 0 group 0");
	link = find(here, "made0");
	assert_string_equal(link.kind, "tun");
	assert_true(link.is_tun && link.tun.tap && link.tun.vnet_hdr && link.tun.multi_queue &&
			link.tun.persist && link.tun.has_owner && link.tun.has_group);
	assert_true(link.tun.owner == 0 && link.tun.group == 0 && link.tun.queues == 0);
	assert_false(link.tun.packet_info);
	world_run("ip tuntap add plain0 mode tun pi");
	link = find(here, "plain0");
	assert_true(link.is_tun && link.tun.packet_info);
	assert_false(link.tun.tap || link.tun.vnet_hdr || link.tun.multi_queue ||
			link.tun.has_owner || link.tun.has_group || link.has_mac);
	link = find(here, "tap0");
	assert_int_equal(link.tun.queues, 1);
	assert_false(link.tun.persist);
	close(fd);
	world_run("ip link del made0 && ip link del plain0");
}

/* A handle in the namespace of that name, which is closed with its descriptor. */
static struct netif *
open_in(const char *netns)
{
	struct netif *n;
	int fd = netns_open(netns, err, sizeof(err));

	assert_true(fd >= 0);
	assert_int_equal(netif_open(fd, &n, err, sizeof(err)), 0);
	close(fd);
	return n;
}

static void
test_move(void **state)
{
	uint32_t index = add_veth("move0"), moved = 0;
	struct netif_link link;
	struct netif *there;

	(void)state;
	world_run("ip netns add box && ip link set move0 up");
	there = open_in("box");
	assert_int_equal(netif_move(here, index, there, "eth0", &moved, err, sizeof(err)), 0);
	link = find(there, "eth0");
	assert_int_equal(link.index, moved);
	assert_false(link.up);
	check_same("box", &link);
	check_refused(netif_find(here, "move0", &link, err, sizeof(err)), -ENODEV, "move0", "");
	assert_int_equal(netif_set_up(there, moved, true, err, sizeof(err)), 0);
	assert_true(world_flag("box", "eth0", "UP"));
	/* The same name, and back to where this index is taken. */
	assert_int_equal(netif_move(there, moved, here, "eth0", &moved, err, sizeof(err)), 0);
	assert_int_equal(world_number("", "eth0", "ifindex"), moved);
	netif_close(there);
	world_run("ip link del eth0 && ip netns del box");
}

/* Whether the old name is free there or not, it stays here under that. */
static void
test_move_to_taken_name(void **state)
{
	uint32_t index = add_veth("move0"), moved = 77;
	struct netif *there;

	(void)state;
	world_run("ip netns add box && ip -n box link add eth0 type veth peer name move1");
	there = open_in("box");
	check_refused(netif_move(here, index, there, "eth0", &moved, err, sizeof(err)), -EEXIST,
			"move0", "choose another");
	assert_int_equal(world_number("", "move0", "ifindex"), index);
	world_run("ip -n box link set move1 name move0");
	check_refused(netif_move(here, index, there, "eth0", &moved, err, sizeof(err)), -EEXIST,
			"move0", "choose another");
	assert_int_equal(world_number("", "move0", "ifindex"), index);
	check_refused(netif_move(here, index, there, "a/b", &moved, err, sizeof(err)), -EINVAL,
			"a/b", "name");
	check_refused(netif_move(here, 4711, there, "c", &moved, err, sizeof(err)), -ENODEV,
			"number 4711", "");
	assert_int_equal(moved, 77);
	netif_close(there);
	world_run("ip link del move0 && ip netns del box");
}

/* A handle keeps its namespace, its name gone, and the interfaces in it. */
static void
test_handle_keeps_namespace(void **state)
{
	struct netif *there;

	(void)state;
	world_run("ip netns add kept && ip -n kept link add v0 type veth peer name v1");
	there = open_in("kept");
	world_run("ip netns del kept");
	assert_int_equal(netif_set_mtu(there, find(there, "v0").index, 2000, err, sizeof(err)), 0);
	assert_int_equal(find(there, "v0").mtu, 2000);
	netif_close(there);
}

static void
test_no_namespace(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct netif *n = NULL;

	(void)state;
	assert_int_equal(netif_open(fd, &n, err, sizeof(err)), -EINVAL);
	assert_null(n);
	close(fd);
	assert_int_equal(netif_open(fd, &n, err, sizeof(err)), -EBADF);
	netif_close(NULL);
}

static void
refuse_changes(void *arg)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };
	uint32_t index = *(const uint32_t *)arg;
	struct netif_link link;

	check_refused(netif_may_configure(here, err, sizeof(err)), -EPERM, "CAP_NET_ADMIN",
			"setcap");
	check_refused(netif_set_mtu(here, index, 2000, err, sizeof(err)), -EPERM, "interface ro0",
			"CAP_NET_ADMIN");
	check_refused(netif_set_mac(here, index, mac, err, sizeof(err)), -EPERM, "interface ro0",
			"CAP_NET_ADMIN");
	check_refused(netif_set_up(here, index, true, err, sizeof(err)), -EPERM, "interface ro0",
			"CAP_NET_ADMIN");
	assert_int_equal(netif_get(here, index, &link, err, sizeof(err)), 0);
	check_same("", &link);
}

static void
test_without_rights(void **state)
{
	uint32_t index = add_veth("ro0");

	(void)state;
	assert_int_equal(netif_may_configure(here, err, sizeof(err)), 0);
	world_without(CAP_NET_ADMIN, refuse_changes, &index);
	assert_int_equal(netif_may_configure(here, err, sizeof(err)), 0);
	world_run("ip link del ro0");
}

static void
test_nsid(void **state)
{
	struct netif *there, *self;
	int fd, nsid = 7, again = 8;

	(void)state;
	world_run("ip netns add num");
	there = open_in("num");
	assert_int_equal(netif_nsid(here, there, &nsid, err, sizeof(err)), 0);
	assert_int_equal(netif_nsid(here, there, &again, err, sizeof(err)), 0);
	assert_true(nsid >= 0);
	assert_int_equal(nsid, again);
	world_run("ip netns list-id | grep -qx 'nsid %d (iproute2 netns name: num)'", nsid);
	fd = netns_own(err, sizeof(err));
	assert_int_equal(netif_open(fd, &self, err, sizeof(err)), 0);
	assert_int_equal(netif_nsid(here, self, &nsid, err, sizeof(err)), 0);
	assert_int_equal(nsid, NETIF_NSID_OWN);
	netif_close(self);
	close(fd);
	netif_close(there);
	world_run("ip netns del num");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_up),
		cmocka_unit_test(test_tun),
		cmocka_unit_test(test_move),
		cmocka_unit_test(test_move_to_taken_name),
		cmocka_unit_test(test_handle_keeps_namespace),
		cmocka_unit_test(test_no_namespace),
		cmocka_unit_test(test_without_rights),
		cmocka_unit_test(test_nsid),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
