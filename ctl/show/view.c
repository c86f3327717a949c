/* SPDX-License-Identifier: BSD-3-Clause */
/* See view.h. */
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/nearest.h"

/* C0, DEL, and C1, which UTF-8 writes as C2 80 to C2 9F. */
static bool
is_control(const unsigned char *text)
{
	return text[0] < ' ' || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0);
}

static void
clean_string(json_t *string)
{
	unsigned char *copy = (unsigned char *)strdup(json_string_value(string));
	bool changed = false;
	size_t i;

	for (i = 0; copy != NULL && copy[i] != '\0'; i++) {
		if (!is_control(copy + i))
			continue;
		if (copy[i] == 0xc2)
			copy[i++] = '?';
		copy[i] = '?';
		changed = true;
	}
	if (changed)
		json_string_set(string, (char *)copy);
	free(copy);
}

void
view_clean(json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;

	if (json_is_string(value))
		clean_string(value);
	json_object_foreach (value, key, member)
		view_clean(member);
	json_array_foreach (value, i, member)
		view_clean(member);
}

const char *
view_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "-";
}

int64_t
view_integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

double
view_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

bool
view_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* The members of an array, separated by commas; those that there is no room for are left out. */
static void
join(const json_t *array, char *buf, size_t size)
{
	const json_t *member;
	size_t i, used = 0;
	char word[64];

	snprintf(buf, size, "none");
	json_array_foreach (array, i, member)
		if (used < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", i > 0 ? "," : "",
					view_value(member, word, sizeof(word)));
}

const char *
view_value(const json_t *value, char *buf, size_t size)
{
	if (json_is_string(value))
		snprintf(buf, size, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(buf, size, "%g", json_real_value(value));
	else if (json_is_array(value))
		join(value, buf, size);
	else if (json_is_boolean(value))
		snprintf(buf, size, "%s", json_is_true(value) ? "on" : "off");
	else
		snprintf(buf, size, "-");
	return buf;
}

const char *
view_no_port(const struct nearest *near, char *buf, size_t size)
{
	char hint[80];

	snprintf(buf, size, "there is no port '%.64s'%s; list-ports names all", near->word,
			nearest_hint(near, hint, sizeof(hint)));
	return buf;
}

int64_t
view_sum(const json_t *object)
{
	const json_t *value;
	const char *key;
	int64_t sum = 0;

	json_object_foreach ((json_t *)object, key, value)
		sum += json_integer_value(value);
	return sum;
}

const char *
view_peer(const json_t *port, char *buf, size_t size)
{
	const json_t *device = json_object_get(port, "device");
	const json_t *peer = json_object_get(port, "peer");

	if (json_is_object(peer))
		snprintf(buf, size, "%" PRId64 " %s", view_integer(peer, "pid"),
				view_text(peer, "program"));
	else if (json_is_object(device))
		snprintf(buf, size, "%s",
				view_text(device,
						json_is_string(json_object_get(device, "ifname"))
								? "ifname"
								: "backend"));
	else
		snprintf(buf, size, "-");
	return buf;
}
