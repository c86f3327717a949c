/* SPDX-License-Identifier: BSD-3-Clause */
/* See ethdev_args.h. */
#include "ethdev_args.h"

#include <stdio.h>
#include <string.h>

/* Where the value begins; NULL: there is no such key. */
static const char *
find_value(const char *devargs, const char *key)
{
	const char *at = devargs;
	size_t len = strlen(key);

	while (strncmp(at, key, len) != 0 || at[len] != '=') {
		at = strchr(at, ',');
		if (at == NULL)
			return NULL;
		at++;
	}
	return at + len + 1;
}

bool
ethdev_args_value(const char *devargs, const char *key, char *text, size_t size)
{
	const char *value = find_value(devargs, key);

	text[0] = '\0';
	if (value == NULL)
		return false;
	snprintf(text, size, "%.*s", (int)strcspn(value, ","), value);
	return true;
}

bool
ethdev_args_replace(
		const char *devargs, const char *key, const char *value, char *text, size_t size)
{
	const char *old = find_value(devargs, key);
	int len;

	if (old == NULL)
		return false;
	len = snprintf(text, size, "%.*s%s%s", (int)(old - devargs), devargs, value,
			old + strcspn(old, ","));
	return len >= 0 && (size_t)len < size;
}
