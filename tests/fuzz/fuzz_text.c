/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values as people write them: each parser gets any text, and what it accepts is within its range
 * and is the same when it is written and read anew. The first byte chooses the parser.
 */
#include <arpa/inet.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "options/port_options.h"
#include "netlink/prefix.h"
#include "text/text.h"

static char err[256];

/* A refusal says why. */
static bool
refused(int ret)
{
	if (ret == 0)
		return false;
	FUZZ_CHECK(ret < 0 && err[0] != '\0' && memchr(err, '\0', sizeof(err)) != NULL);
	return true;
}

static void
try_integer(const char *text)
{
	int64_t value, again;
	char buffer[32];

	if (refused(text_parse_integer(text, -1000, INT64_MAX, &value, err, sizeof(err))))
		return;
	FUZZ_CHECK(value >= -1000);
	snprintf(buffer, sizeof(buffer), "%lld", (long long)value);
	FUZZ_CHECK(text_parse_integer(buffer, -1000, INT64_MAX, &again, NULL, 0) == 0);
	FUZZ_CHECK(again == value);
}

static void
try_number(const char *text)
{
	double value;
	char buffer[64];

	if (refused(text_parse_number(text, 0, 1e12, &value, err, sizeof(err))))
		return;
	FUZZ_CHECK(isfinite(value) && value >= 0 && value <= 1e12);
	FUZZ_CHECK(strlen(text_format_number(value, "fps", buffer, sizeof(buffer))) > 0);
	FUZZ_CHECK(strlen(text_format_duration(value, buffer, sizeof(buffer))) > 0);
}

static void
try_words(const char *text)
{
	mode_t mode;
	bool value;

	if (!refused(text_parse_mode(text, &mode, err, sizeof(err))))
		FUZZ_CHECK(mode <= 07777);
	err[0] = '\0';
	(void)refused(text_parse_bool(text, &value, err, sizeof(err)));
	err[0] = '\0';
	if (!refused(text_check_port_name(text, err, sizeof(err))))
		FUZZ_CHECK(strlen(text) >= 1 && strlen(text) <= TEXT_NAME_MAX &&
				strchr(text, '/') == NULL);
}

static void
try_mac(const char *text)
{
	uint8_t mac[6], again[6];
	char buffer[TEXT_MAC_SIZE];

	if (refused(text_parse_mac(text, mac, err, sizeof(err))))
		return;
	FUZZ_CHECK(text_parse_mac(text_format_mac(mac, buffer), again, NULL, 0) == 0);
	FUZZ_CHECK(memcmp(mac, again, sizeof(mac)) == 0);
}

static void
try_prefix(const char *text)
{
	struct prefix prefix = { 0 }, again = { 0 };
	char buffer[PREFIX_TEXT_SIZE];

	if (refused(prefix_parse(text, &prefix, err, sizeof(err))))
		return;
	FUZZ_CHECK(prefix.family == AF_INET || prefix.family == AF_INET6);
	FUZZ_CHECK(prefix.len >= 1 && prefix.len <= (prefix.family == AF_INET ? 32 : 128));
	FUZZ_CHECK(prefix_parse(prefix_format(&prefix, buffer), &again, NULL, 0) == 0);
	FUZZ_CHECK(prefix_same(&prefix, &again));
}

/* A word of the command line, as the JSON that the switch then checks. */
static void
try_option(const struct port_option *option, const char *text)
{
	json_t *value;

	if (refused(port_option_from_text(option, text, &value, err, sizeof(err))))
		return;
	if (port_option_check(option, value, err, sizeof(err)) != 0)
		FUZZ_FAIL("vswitchctl sends what is refused: %s", err);
	json_decref(value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(const char *text) = { try_integer, try_number, try_words,
		try_mac, try_prefix };
	const size_t n = sizeof(tries) / sizeof(tries[0]);
	char *text;

	if (size == 0)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	if (text == NULL)
		abort();
	err[0] = '\0';
	if (data[0] % 32 < n)
		tries[data[0] % 32](text);
	else
		try_option(&port_options[(data[0] % 32 - n) % port_options_count], text);
	free(text);
	return 0;
}
