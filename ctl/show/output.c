/* SPDX-License-Identifier: BSD-3-Clause */
/* See output.h. */
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/write_all.h"

#define REAL_DIGITS 15

int
output_write(const char *text, size_t len)
{
	return write_all(STDOUT_FILENO, text, len);
}

enum status
output_fail(enum status status, const char *format, ...)
{
	va_list args;

	fputs("vswitchctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

enum status
output_status(int ret)
{
	/* `vswitchctl fdb | head` has seen what it wanted */
	if (ret == 0 || ret == -EPIPE)
		return STATUS_DONE;
	fprintf(stderr,
			"vswitchctl: cannot write to standard output: %s; the answer is incomplete, see to "
			"the output and ask again\n",
			strerror(-ret));
	return STATUS_REFUSED;
}

int
output_json(const json_t *value, size_t indent)
{
	size_t flags = indent > 0 ? JSON_INDENT(indent) : JSON_COMPACT;
	char *text, *line = NULL;
	int len, ret = -ENOMEM;

	text = json_dumps(value, flags | JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS));
	if (text == NULL)
		return -ENOMEM;
	len = asprintf(&line, "%s\n", text);
	free(text);
	if (len >= 0) {
		ret = output_write(line, (size_t)len);
		free(line);
	}
	return ret;
}
