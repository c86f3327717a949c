/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Values as people write and read them: numbers with ranges, yes and no, addresses, names, rates,
 * durations. Each has one notation, in every program, configuration file and message.
 *
 * Pure functions, any thread. Parsers are strict: the whole text must be the value. Those with err write
 * there what was wrong and what would be right, without the name of the option, which the caller knows.
 * They return 0 or -EINVAL; *out is unchanged on failure.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TEXT_MAC_SIZE 18 /* "02:00:00:00:00:01" with the terminating zero */
#define TEXT_NAME_MAX 63 /* longest port name */

/* Writes a message to err (which may be NULL when err_size is 0) and returns code. */
int text_fail(char *err, size_t err_size, int code, const char *format, ...)
		__attribute__((format(printf, 4, 5)));

/* Decimal integer from min to max. */
int text_parse_integer(const char *text, int64_t min, int64_t max, int64_t *out, char *err,
		size_t err_size);

/* Number from min to max with an optional k, M or G (thousands): "1.5M". Finite. */
int text_parse_number(
		const char *text, double min, double max, double *out, char *err, size_t err_size);

/* on, off, true, false, yes, no. */
int text_parse_bool(const char *text, bool *out, char *err, size_t err_size);

/* Permission bits in octal, three digits or four with a leading 0: "0660". */
int text_parse_mode(const char *text, mode_t *out, char *err, size_t err_size);

/* Six pairs of hexadecimal digits, separated by ':' or by '-'. */
int text_parse_mac(const char *text, uint8_t mac[6], char *err, size_t err_size);

/* Lower case, with colons. Returns buf. */
const char *text_format_mac(const uint8_t mac[6], char buf[TEXT_MAC_SIZE]);

/* Port name: [A-Za-z0-9][A-Za-z0-9_.-]{0,62}, and not "control", whose socket is taken. */
int text_check_port_name(const char *name, char *err, size_t err_size);

/*
 * Three significant digits and a prefix of thousands: "0", "12.3k", "1.49M". With a unit (not
 * NULL) as "1.49 Mfps", "640 bit/s". Returns buf.
 */
const char *text_format_number(double value, const char *unit, char *buf, size_t size);

/* Seconds as "350 us", "12.5 ms", "3.4 s", "5 min 3 s", "2 h 5 min", "3 d 4 h". Returns buf. */
const char *text_format_duration(double seconds, char *buf, size_t size);

#endif
