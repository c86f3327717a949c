/* SPDX-License-Identifier: BSD-3-Clause */
/* See settings_kernel.h. */
#include "settings_kernel.h"

#include <errno.h>
#include <string.h>

#include "netlink/netif.h"
#include "text/text.h"

static int
read_fast_ports(const struct options *o, struct settings *s, char *err, size_t err_size)
{
	const struct option_value *value;
	size_t position = 0;

	while ((value = options_next(o, "fast-udp", &position)) != NULL) {
		if (s->fast_udp_count == SETTINGS_FAST_MAX)
			return text_fail(err, err_size, -EINVAL, "--fast-udp may be given %d times",
					SETTINGS_FAST_MAX);
		s->fast_udp[s->fast_udp_count++] = (uint16_t)value->integer;
	}
	if (s->fast_udp_count > 0 && s->addr_count == 0)
		return text_fail(err, err_size, -EINVAL,
				"--fast-udp answers at the addresses of --ip; give one");
	return 0;
}

/* Refuses an address that is given twice, because an interface can have it only once. */
static int
check_addrs(const struct settings *s, char *err, size_t err_size)
{
	char text[INET_TEXT_SIZE];
	size_t i, j;

	for (i = 0; i < s->addr_count; i++)
		for (j = 0; j < i; j++)
			if (s->addrs[i].version == s->addrs[j].version &&
					inet_is(&s->addrs[i], s->addrs[j].bytes))
				return text_fail(err, err_size, -EINVAL, "--ip %s is given twice",
						inet_format(&s->addrs[i], text));
	return 0;
}

static int
read_ifname(const struct options *o, struct settings *s, char *err, size_t err_size)
{
	char why[160];

	s->ifname = options_text(o, "ifname", "app0");
	if (netif_check_name(s->ifname, why, sizeof(why)) != 0)
		return text_fail(err, err_size, -EINVAL, "--ifname: %s", why);
	if (strpbrk(s->ifname, SETTINGS_REFUSED_BY_DPDK) != NULL)
		return text_fail(err, err_size, -EINVAL,
				"--ifname %s: DPDK takes no name with any of %s", s->ifname,
				SETTINGS_REFUSED_BY_DPDK);
	return 0;
}

int
settings_kernel_read(const struct options *o, struct settings *s, char *err, size_t err_size)
{
	const char *backend = options_text(o, "backend", "auto");
	int ret = read_ifname(o, s, err, err_size);

	s->netns = options_text(o, "netns", NULL);
	if (strcmp(backend, "tap") == 0)
		s->backend = SETTINGS_BACKEND_TAP;
	else if (strcmp(backend, "vhost-net") == 0)
		s->backend = SETTINGS_BACKEND_VHOST_NET;
	if (ret == 0)
		ret = check_addrs(s, err, err_size);
	return ret != 0 ? ret : read_fast_ports(o, s, err, err_size);
}
