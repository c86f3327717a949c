/* SPDX-License-Identifier: BSD-3-Clause */
/* The interface or device behind a port; see print.h. */
#include "print.h"

#include <inttypes.h>

#include "view.h"

const char *
print_device_name(const json_t *device, char *buf, size_t size)
{
	if (!json_is_string(json_object_get(device, "ifname")))
		snprintf(buf, size, "%s", view_text(device, "backend"));
	else if (json_is_string(json_object_get(device, "netns")))
		snprintf(buf, size, "%s in %s (%s)", view_text(device, "ifname"),
				view_text(device, "netns"), view_text(device, "backend"));
	else
		snprintf(buf, size, "%s (%s)", view_text(device, "ifname"),
				view_text(device, "backend"));
	return buf;
}

/* The name says which backend it is; here is why, and who does its work. */
static void
print_backend(FILE *out, const json_t *device)
{
	char pids[128];

	if (json_is_string(json_object_get(device, "why")))
		print_field(out, "backend", "%s: %s", view_text(device, "backend"),
				view_text(device, "why"));
	if (json_array_size(json_object_get(device, "vhost_pids")) > 0)
		print_field(out, "kernel", "vhost threads %s",
				view_value(json_object_get(device, "vhost_pids"), pids,
						sizeof(pids)));
}

static void
print_link(FILE *out, const json_t *device)
{
	int64_t queues = view_integer(device, "queues");
	char speed[32] = "";

	if (view_integer(device, "speed_mbps") > 0)
		snprintf(speed, sizeof(speed), ", %" PRId64 " Mbit/s",
				view_integer(device, "speed_mbps"));
	print_field(out, "link", "%s%s, %s, mtu %" PRId64 ", %" PRId64 " queue%s; %s",
			view_text(device, "link"), speed, view_text(device, "mac"),
			view_integer(device, "mtu"), queues, queues == 1 ? "" : "s",
			view_true(device, "interrupts") ? "frames wake the switch"
							: "looked at now and then when idle");
}

void
print_device(FILE *out, const json_t *device)
{
	char name[256], takes[64], gives[64];

	print_field(out, "device", "%s", print_device_name(device, name, sizeof(name)));
	print_backend(out, device);
	print_link(out, device);
	print_field(out, "offloads", "to it %s; from it %s",
			view_value(json_object_get(device, "takes"), takes, sizeof(takes)),
			view_value(json_object_get(device, "gives"), gives, sizeof(gives)));
}
