/* SPDX-License-Identifier: BSD-3-Clause */
/* See prefix.h. */
#include "prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "text/text.h"

#define SHOWN 60 /* the most bytes of a wrong text that a message quotes */

static size_t
address_size(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* Reads the first len bytes, which stand before the '/'. False: they are not an address. */
static bool
parse_address(const char *text, size_t len, struct prefix *out)
{
	char address[INET6_ADDRSTRLEN];

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	out->family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;
	return inet_pton(out->family, address, out->address) == 1;
}

/* Why no host can have this address; NULL: a host can. */
static const char *
refuse_address(const struct prefix *p)
{
	static const uint8_t zero[16], ones[4] = { 255, 255, 255, 255 };
	size_t size = address_size(p->family);

	if (memcmp(p->address, zero, size) == 0)
		return "stands for no address";
	if (p->family == AF_INET && memcmp(p->address, ones, size) == 0)
		return "is the broadcast address";
	if (p->family == AF_INET ? p->address[0] >> 4 == 14 : p->address[0] == 0xff)
		return "is a multicast address";
	return NULL;
}

int
prefix_parse(const char *text, struct prefix *out, char *err, size_t err_size)
{
	size_t len = strcspn(text, "/");
	struct prefix p = { 0 };
	const char *why;
	int64_t bits;

	if (!parse_address(text, len, &p))
		return text_fail(err, err_size, -EINVAL,
				"'%.*s' is not an IP address with its prefix length such as "
				"10.0.0.254/24",
				SHOWN, text);
	if (text[len] == '\0')
		return text_fail(err, err_size, -EINVAL,
				"'%s' lacks the length of its network's prefix; write for example "
				"%s/%d",
				text, text, p.family == AF_INET ? 24 : 64);
	if (text_parse_integer(text + len + 1, 1, 8 * (int64_t)address_size(p.family), &bits, NULL,
			    0) != 0)
		return text_fail(err, err_size, -EINVAL,
				"'%.*s': the length of the prefix is not a whole number from 1 to "
				"%zu",
				SHOWN, text, 8 * address_size(p.family));
	why = refuse_address(&p);
	if (why != NULL)
		return text_fail(err, err_size, -EINVAL, "'%s' %s; give the address of one host",
				text, why);
	p.len = (uint8_t)bits;
	*out = p;
	return 0;
}

const char *
prefix_format(const struct prefix *prefix, char buf[PREFIX_TEXT_SIZE])
{
	size_t used;

	buf[0] = '\0';
	(void)inet_ntop(prefix->family, prefix->address, buf, PREFIX_TEXT_SIZE);
	used = strlen(buf);
	snprintf(buf + used, PREFIX_TEXT_SIZE - used, "/%u", prefix->len);
	return buf;
}

bool
prefix_same_address(const struct prefix *a, const struct prefix *b)
{
	return a->family == b->family &&
			memcmp(a->address, b->address, address_size(a->family)) == 0;
}

bool
prefix_same(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && prefix_same_address(a, b);
}
