/* SPDX-License-Identifier: BSD-3-Clause */
/* See report.h. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "status.h"
#include "stop.h"

#define REAL_DIGITS 9

struct report {
	json_t *object;
	bool json;
	bool incomplete; /* a value is missing: no memory */
};

static void
set(struct report *r, const char *key, json_t *value)
{
	if (json_object_set_new(r->object, key, value) != 0)
		r->incomplete = true;
}

struct report *
report_create(const char *role, bool json)
{
	struct report *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->json = json;
	r->object = json_object();
	if (r->object == NULL) {
		free(r);
		return NULL;
	}
	report_text(r, "role", role);
	return r;
}

json_t *
report_json(struct report *r)
{
	return r->object;
}

bool
report_is_json(const struct report *r)
{
	return r->json;
}

void
report_integer(struct report *r, const char *key, uint64_t value)
{
	set(r, key, json_integer((json_int_t)value));
}

void
report_real(struct report *r, const char *key, double value)
{
	set(r, key, json_real(value));
}

void
report_bool(struct report *r, const char *key, bool value)
{
	set(r, key, json_boolean(value));
}

void
report_text(struct report *r, const char *key, const char *value)
{
	set(r, key, json_string(value));
}

void
report_line(const struct report *r, const char *format, ...)
{
	va_list args;

	if (r->json)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (ferror(stdout))
		stop_request();
}

void
report_error(struct report *r, const char *format, ...)
{
	char text[640];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "vuser-client: %s\n", text);
	report_text(r, "error", text);
}

int
report_finish(struct report *r, int status)
{
	report_integer(r, "status", (uint64_t)status);
	if (r->json) {
		if (r->incomplete ||
				json_dumpf(r->object, stdout, JSON_REAL_PRECISION(REAL_DIGITS)) !=
						0)
			fprintf(stderr, "vuser-client: the report is incomplete: no memory\n");
		putchar('\n');
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "vuser-client: the report did not reach the standard output\n");
		status = status == STATUS_OK ? STATUS_FAILED : status;
	}
	json_decref(r->object);
	free(r);
	return status;
}
