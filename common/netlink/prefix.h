/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP addresses of hosts with the length of their network's prefix, as people write them:
 * "10.0.0.254/24", "fd00::1/64". For the addresses of a kernel port's interface. Pure, any thread.
 */
#ifndef COMMON_PREFIX_H
#define COMMON_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREFIX_TEXT_SIZE 52 /* the longest address, its length and the terminating zero */

struct prefix {
	int family;	     /* AF_INET, AF_INET6 */
	uint8_t address[16]; /* the first 4 for AF_INET; in network order */
	uint8_t len;	     /* bits, 1 to 32 or 128 */
};

/*
 * Reads the address of one host; bits after the prefix may be set. 0, or -EINVAL with what is wrong and
 * what would be right in err; *out is unchanged then. An address that no host has (unspecified,
 * multicast, broadcast) is refused, too.
 */
int prefix_parse(const char *text, struct prefix *out, char *err, size_t err_size);

/* In canonical form. Returns buf. */
const char *prefix_format(const struct prefix *prefix, char buf[PREFIX_TEXT_SIZE]);

/* Whether the addresses are the same; the lengths do not count. */
bool prefix_same_address(const struct prefix *a, const struct prefix *b);

/* Whether addresses and lengths are the same. */
bool prefix_same(const struct prefix *a, const struct prefix *b);

#endif
