/* SPDX-License-Identifier: BSD-3-Clause */
/* See cpu_list.h. */
#include "cpu_list.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/text.h"

struct cpu_list {
	const cpu_set_t *allowed;
	int *cpus;
	uint32_t n, max;
	char *err;
	size_t err_size;
};

int
cpu_list_format(const cpu_set_t *set, char *text, size_t size)
{
	const char *separator = "";
	size_t used = 0;
	int first, last, n;

	text[0] = '\0';
	for (first = 0; first < CPU_SETSIZE; first = last + 1) {
		last = first;
		if (!CPU_ISSET(first, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		n = snprintf(text + used, size - used, last > first ? "%s%d-%d" : "%s%d", separator,
				first, last);
		if (n < 0 || (size_t)n >= size - used)
			return -ENOSPC;
		used += (size_t)n;
		separator = ",";
	}
	return 0;
}

static int
add_cpu(struct cpu_list *list, long cpu)
{
	char allowed[256];
	uint32_t i;

	if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, list->allowed)) {
		if (cpu_list_format(list->allowed, allowed, sizeof(allowed)) != 0)
			snprintf(allowed, sizeof(allowed), "see `taskset -p $$`");
		return text_fail(list->err, list->err_size, -EINVAL,
				"CPU %ld is not among those this process may use (%s); choose of these",
				cpu, allowed);
	}
	for (i = 0; i < list->n; i++)
		if (list->cpus[i] == (int)cpu)
			return text_fail(list->err, list->err_size, -EINVAL,
					"CPU %ld stands twice; name each once", cpu);
	if (list->n == list->max)
		return text_fail(list->err, list->err_size, -EINVAL,
				"more than %u CPUs; a switch has at most that many workers",
				list->max);
	list->cpus[list->n++] = (int)cpu;
	return 0;
}

/* Reads digits at *text and moves it behind them; -1: none. What no CPU can be is CPU_SETSIZE. */
static long
take_number(const char **text)
{
	char *end;
	long value;

	if (!isdigit((unsigned char)**text))
		return -1;
	value = strtol(*text, &end, 10);
	*text = end;
	return value < CPU_SETSIZE ? value : CPU_SETSIZE;
}

/* One element, "N" or "N-M", at *text. */
static int
add_range(struct cpu_list *list, const char **text)
{
	const char *start = *text;
	long first, last;
	int ret = 0;

	first = last = take_number(text);
	if (first >= 0 && **text == '-') {
		(*text)++;
		last = take_number(text);
	}
	if (first < 0 || last < first || (**text != ',' && **text != '\0'))
		return text_fail(list->err, list->err_size, -EINVAL,
				"'%s' is not a list of CPUs such as 0,2-3", start);
	for (; first <= last && ret == 0; first++)
		ret = add_cpu(list, first);
	return ret;
}

int
cpu_list_parse(const char *text, const cpu_set_t *allowed, int *cpus, uint32_t max, char *err,
		size_t err_size)
{
	struct cpu_list list = { .allowed = allowed, .max = max, .err_size = err_size };
	int ret;

	list.cpus = cpus;
	list.err = err;
	do {
		ret = add_range(&list, &text);
	} while (ret == 0 && *text++ == ',');
	return ret == 0 ? (int)list.n : ret;
}
