/* SPDX-License-Identifier: BSD-3-Clause */
/* See port_settings.h. The switches here name every type, so that a new one does not compile without. */
#include "port_settings.h"

#include <string.h>

#include "port_options.h"

void *
port_settings_member(struct port_settings *settings, const struct port_option *option)
{
	return (char *)settings + option->offset;
}

const void *
port_settings_value(const struct port_settings *settings, const struct port_option *option)
{
	return (const char *)settings + option->offset;
}

static void
set_default(struct port_settings *settings, const struct port_option *option)
{
	void *member = port_settings_member(settings, option);

	switch (option->type) {
	case PORT_OPTION_INTEGER:
		*(uint32_t *)member = (uint32_t)option->initial;
		break;
	case PORT_OPTION_BOOL:
		*(bool *)member = option->initial != 0;
		break;
	case PORT_OPTION_MODE:
		*(mode_t *)member = (mode_t)option->initial;
		break;
	case PORT_OPTION_USER:
		*(uid_t *)member = (uid_t)-1;
		break;
	case PORT_OPTION_GROUP:
		*(gid_t *)member = (gid_t)-1;
		break;
	case PORT_OPTION_WORD: /* the first choice */
	case PORT_OPTION_PATH:
	case PORT_OPTION_INTERFACE:
	case PORT_OPTION_NETNS:
	case PORT_OPTION_MAC:
	case PORT_OPTION_ADDRESSES:
	case PORT_OPTION_TEXT:
		break; /* not given, which is 0 */
	}
}

void
port_settings_default(struct port_settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	for (size_t i = 0; i < port_options_count; i++)
		set_default(settings, &port_options[i]);
}

static bool
same_mac(const struct port_mac *a, const struct port_mac *b)
{
	return a->given == b->given && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool
same_addresses(const struct port_addresses *a, const struct port_addresses *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!prefix_same(&a->list[i], &b->list[i]))
			return false;
	return true;
}

static bool
is_same(const struct port_option *option, const void *a, const void *b)
{
	switch (option->type) {
	case PORT_OPTION_INTEGER:
	case PORT_OPTION_BOOL:
	case PORT_OPTION_MODE:
	case PORT_OPTION_USER:
	case PORT_OPTION_GROUP:
	case PORT_OPTION_WORD:
		return memcmp(a, b, option->size) == 0;
	case PORT_OPTION_PATH:
	case PORT_OPTION_INTERFACE:
	case PORT_OPTION_NETNS:
	case PORT_OPTION_TEXT:
		return strcmp(a, b) == 0;
	case PORT_OPTION_MAC:
		return same_mac(a, b);
	case PORT_OPTION_ADDRESSES:
		return same_addresses(a, b);
	}
	return false;
}

const struct port_option *
port_settings_change(const struct port_settings *a, const struct port_settings *b,
		const struct port_option *after)
{
	const struct port_option *option = after == NULL ? port_options : after + 1;

	for (; option < port_options + port_options_count; option++)
		if (!is_same(option, port_settings_value(a, option),
				    port_settings_value(b, option)))
			return option;
	return NULL;
}
