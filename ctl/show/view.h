/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Members of a reply, as the printers want them: a member that is missing or of another type, as
 * from a switch of another version, shows as "-" or 0 and never stops a print.
 */
#ifndef CTL_VIEW_H
#define CTL_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/*
 * Replaces control characters in every string of a reply by '?'. Some come from strangers (the name
 * of a frontend's program), and a terminal would obey them.
 */
void view_clean(json_t *value);

const char *view_text(const json_t *object, const char *key);
int64_t view_integer(const json_t *object, const char *key);
double view_number(const json_t *object, const char *key);
bool view_true(const json_t *object, const char *key);

/*
 * A value as text: strings as they are, booleans as on and off, null as "-", arrays with commas.
 * Returns buf.
 */
const char *view_value(const json_t *value, char *buf, size_t size);

struct nearest;

/* Words about a port that is not there; those that are were offered to near. Returns buf. */
const char *view_no_port(const struct nearest *near, char *buf, size_t size);

/* Sum of the members of an object of integers. */
int64_t view_sum(const json_t *object);

/* What is behind a port, "812 vuser-client" or "vsw0"; "-": nothing. Returns buf. */
const char *view_peer(const json_t *port, char *buf, size_t size);

#endif
