/* SPDX-License-Identifier: BSD-3-Clause */
/* A labelled line of show-port, for print_port.c and print_session.c; see print.h. */
#include "print.h"

#include <stdarg.h>
#include <stdlib.h>

#include "options/options.h"

#define LABEL_WIDTH 12

void
print_field(FILE *out, const char *label, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	fprintf(out, "%-*s", LABEL_WIDTH, label);
	if (text != NULL)
		options_print_wrapped(out, LABEL_WIDTH, LABEL_WIDTH, text);
	free(text);
}
