/* SPDX-License-Identifier: BSD-3-Clause */
/* See text.h. */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
text_fail(char *err, size_t err_size, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, err_size, format, args);
	va_end(args);
	return code;
}

/* Refuses what strtoll() and strtod() accept but the documentation does not name, as leading blanks. */
static bool
is_number_start(const char *text)
{
	if (text[0] == '-')
		text++;
	return isdigit((unsigned char)text[0]) != 0;
}

int
text_parse_integer(const char *text, int64_t min, int64_t max, int64_t *out, char *err,
		size_t err_size)
{
	long long value;
	char *end = NULL;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (is_number_start(text) && *end == '\0' && errno == 0 && value >= min && value <= max) {
		*out = value;
		return 0;
	}
	if (max == INT64_MAX)
		return text_fail(err, err_size, -EINVAL,
				"'%s' is not a whole number of %" PRId64 " or more", text, min);
	return text_fail(err, err_size, -EINVAL,
			"'%s' is not a whole number from %" PRId64 " to %" PRId64, text, min, max);
}

/* Factor of a prefix of thousands, which must be all of text; 0: it is not one. */
static double
prefix_factor(const char *text)
{
	static const struct {
		const char *prefix;
		double factor;
	} prefixes[] = { { "", 1 }, { "k", 1e3 }, { "K", 1e3 }, { "M", 1e6 }, { "G", 1e9 } };
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strcmp(text, prefixes[i].prefix) == 0)
			return prefixes[i].factor;
	return 0;
}

/* Skips a sign, digits, a point and digits, the only notation allowed. Returns the first byte after. */
static const char *
skip_decimal(const char *text)
{
	if (text[0] == '-')
		text++;
	text += strspn(text, "0123456789");
	if (text[0] == '.')
		text += 1 + strspn(text + 1, "0123456789");
	return text;
}

int
text_parse_number(const char *text, double min, double max, double *out, char *err, size_t err_size)
{
	const char *prefix = skip_decimal(text);
	double factor = prefix_factor(prefix);
	char low[32], high[32];
	double value = strtod(text, NULL) * factor;

	if (!is_number_start(text) || factor == 0 || !(value >= min && value <= max))
		return text_fail(err, err_size, -EINVAL,
				"'%s' is not a number from %s to %s (k, M and G may follow)", text,
				text_format_number(min, NULL, low, sizeof(low)),
				text_format_number(max, NULL, high, sizeof(high)));
	*out = value;
	return 0;
}

int
text_parse_bool(const char *text, bool *out, char *err, size_t err_size)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "on", true }, { "off", false }, { "true", true }, { "false", false },
		{ "yes", true }, { "no", false }, { "1", true }, { "0", false } };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i].word) == 0) {
			*out = words[i].value;
			return 0;
		}
	}
	return text_fail(err, err_size, -EINVAL, "'%s' is neither on nor off", text);
}

int
text_parse_mode(const char *text, mode_t *out, char *err, size_t err_size)
{
	size_t length = strlen(text);

	if (strspn(text, "01234567") != length || !(length == 3 || (length == 4 && text[0] == '0')))
		return text_fail(err, err_size, -EINVAL,
				"'%s' is not a file mode in octal such as 0660", text);
	*out = (mode_t)strtoul(text, NULL, 8);
	return 0;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = strchr(digits, tolower((unsigned char)c));

	return c == '\0' || found == NULL ? -1 : (int)(found - digits);
}

int
text_parse_mac(const char *text, uint8_t mac[6], char *err, size_t err_size)
{
	uint8_t bytes[6];
	int high, low, i;

	if (strlen(text) != TEXT_MAC_SIZE - 1)
		goto bad;
	for (i = 0; i < 6; i++) {
		high = hex_digit(text[3 * i]);
		low = hex_digit(text[3 * i + 1]);
		if (high < 0 || low < 0)
			goto bad;
		bytes[i] = (uint8_t)(high << 4 | low);
		if (i > 0 && (text[3 * i - 1] != text[2] || strchr(":-", text[2]) == NULL))
			goto bad;
	}
	memcpy(mac, bytes, sizeof(bytes));
	return 0;
bad:
	return text_fail(err, err_size, -EINVAL,
			"'%s' is not a MAC address such as 02:00:00:00:00:01", text);
}

const char *
text_format_mac(const uint8_t mac[6], char buf[TEXT_MAC_SIZE])
{
	snprintf(buf, TEXT_MAC_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
			mac[3], mac[4], mac[5]);
	return buf;
}

int
text_check_port_name(const char *name, char *err, size_t err_size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t length = strlen(name);

	if (strcmp(name, "control") == 0)
		return text_fail(err, err_size, -EINVAL,
				"'control' cannot name a port, since "
				"control.sock is the switch's own socket; choose another name");
	if (length > TEXT_NAME_MAX)
		return text_fail(err, err_size, -EINVAL,
				"'%.20s...' has %zu characters, and the name "
				"of a port has at most %d; choose a shorter one",
				name, length, TEXT_NAME_MAX);
	if (length == 0 || strchr("_.-", name[0]) != NULL || strspn(name, letters) != length)
		return text_fail(err, err_size, -EINVAL,
				"'%s' cannot name a port; a name has letters, "
				"digits, '_', '.' and '-', and begins with a letter or digit",
				name);
	return 0;
}

const char *
text_format_number(double value, const char *unit, char *buf, size_t size)
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
	size_t i = 0;
	double magnitude = value < 0 ? -value : value;
	int decimals;

	/* from 999.5 on the number would have four digits */
	while (magnitude >= 999.5 && i + 1 < sizeof(prefixes) / sizeof(prefixes[0])) {
		magnitude /= 1000;
		value /= 1000;
		i++;
	}
	decimals = magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : 2;
	if (i == 0 && value == (double)(int64_t)value)
		decimals = 0;
	snprintf(buf, size, "%.*f%s%s%s", decimals, value, unit != NULL ? " " : "", prefixes[i],
			unit != NULL ? unit : "");
	return buf;
}

static void
format_two(uint64_t big, const char *big_unit, uint64_t small, const char *small_unit, char *buf,
		size_t size)
{
	if (small != 0)
		snprintf(buf, size, "%" PRIu64 " %s %" PRIu64 " %s", big, big_unit, small,
				small_unit);
	else
		snprintf(buf, size, "%" PRIu64 " %s", big, big_unit);
}

const char *
text_format_duration(double seconds, char *buf, size_t size)
{
	uint64_t whole;

	if (!(seconds > 0))
		snprintf(buf, size, "0 s");
	else if (seconds < 0.0009995)
		snprintf(buf, size, "%.0f us", seconds * 1e6);
	else if (seconds < 0.9995)
		snprintf(buf, size, "%.3g ms", seconds * 1e3);
	else if (seconds < 59.95)
		snprintf(buf, size, "%.1f s", seconds);
	else {
		whole = seconds < 1e15 ? (uint64_t)(seconds + 0.5) : (uint64_t)1e15;
		if (whole < 3600)
			format_two(whole / 60, "min", whole % 60, "s", buf, size);
		else if (whole < 86400)
			format_two(whole / 3600, "h", whole / 60 % 60, "min", buf, size);
		else
			format_two(whole / 86400, "d", whole / 3600 % 24, "h", buf, size);
	}
	return buf;
}
