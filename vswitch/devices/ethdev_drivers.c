/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See ethdev_drivers.h.
 *
 * DPDK has some forty drivers of virtual devices, and its user names one by the beginning of the
 * device's name, or by an alias. Some of them open what this switch keeps closed: net_vhost lets
 * strangers talk to the vhost library without the gate, and net_failsafe and net_bonding make
 * devices of any driver out of their arguments. So those that may be used are listed, by their
 * one full name; devices on a bus of hardware are whoever's who may bind them.
 */
#include "ethdev_drivers.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "text/text.h"

#define ALLOWED "net_af_packet, net_af_xdp, net_memif, net_null, net_pcap, net_tap, net_virtio_user"

static const char *const allowed[] = { "net_af_packet", "net_af_xdp", "net_memif", "net_null",
	"net_pcap", "net_tap", "net_virtio_user" };

static const char *const hardware[] = { "pci", "auxiliary", "vmbus" };

/* What is often asked for, and why it is not there. */
static const struct {
	const char *driver;
	const char *why;
} refused[] = {
	{ "net_vhost",
			"it would let frontends past the checks of this switch; add a port of "
			"--type vhost-user instead" },
	{ "eth_vhost",
			"it would let frontends past the checks of this switch; add a port of "
			"--type vhost-user instead" },
	{ "net_failsafe",
			"it makes devices of any driver out of its arguments; add a port for each "
			"device instead" },
	{ "net_vdev_netvsc",
			"it makes devices of any driver; give the device's own address instead" },
	{ "net_bonding",
			"it makes devices of any driver out of its arguments; bond interfaces in the "
			"kernel instead" },
	{ "eth_bond",
			"it makes devices of any driver out of its arguments; bond interfaces in the "
			"kernel instead" },
	{ "net_ring",
			"nobody but this process could reach its rings; connect switches by "
			"net_virtio_user or net_memif instead" },
	{ "eth_", "this is an alias; write net_ and the driver's name" },
	{ "virtio_user", "this is an alias; write net_virtio_user" },
};

static bool any_driver;

void
ethdev_drivers_allow_any(void)
{
	any_driver = true;
}

static bool
begins_with(const char *name, const char *driver)
{
	return strncmp(name, driver, strlen(driver)) == 0;
}

static bool
is_allowed(const char *bus, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(hardware) / sizeof(hardware[0]); i++)
		if (strcmp(bus, hardware[i]) == 0)
			return true;
	if (strcmp(bus, "vdev") != 0)
		return false;
	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (begins_with(name, allowed[i]))
			return true;
	return false;
}

int
ethdev_drivers_check(const char *bus, const char *name, char *err, size_t err_size)
{
	const char *why = "it was not tried with this switch; use a PCI address or one of " ALLOWED;
	size_t i;

	if (any_driver || (bus != NULL && is_allowed(bus, name)))
		return 0;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (begins_with(name, refused[i].driver)) {
			why = refused[i].why;
			break;
		}
	}
	return text_fail(err, err_size, -EPERM,
			"the driver of %s is not among those that this switch uses: %s (or start "
			"vswitchd with --any-driver)",
			name[0] != '\0' ? name : "a device without a name", why);
}
