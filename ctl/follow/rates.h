/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rates of ports: what their counters grew by between two answers of stats.get.
 *
 * For watch.c. Counters of a port that was added or cleared in between say nothing about that time:
 * such a port has no rates, rather than wrong ones.
 */
#ifndef CTL_RATES_H
#define CTL_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

/*
 * From two `ports` objects of stats.get and the seconds between them, new: by the name of each port
 * of the later one its rx_fps, rx_bps, tx_fps, tx_bps, drop_fps, as in `rates` of port.show, each
 * null where it is not known. With names (name_count not 0), only these ports. NULL: no memory.
 */
json_t *rates_between(const json_t *earlier, const json_t *later, double seconds,
		const char *const *names, size_t name_count);

/* As a table, a line for each port, at most 80 columns with names of 24. 0 or -ENOMEM. */
int rates_print(FILE *out, const json_t *ports);

#endif
