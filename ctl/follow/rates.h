/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rates of ports: how fast their counters grew between two results of stats.get.
 *
 * For watch.c. A port that was added or cleared in between has no rates, because they would be wrong.
 */
#ifndef CTL_RATES_H
#define CTL_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

/*
 * Makes a new object from two `ports` objects of stats.get and the seconds between them. For each port of
 * the later one it has, by the port's name, rx_fps, rx_bps, tx_fps, tx_bps and drop_fps, as in `rates` of
 * port.show; null where a rate is not known. With names (name_count not 0), only these ports. NULL: no
 * memory.
 */
json_t *rates_between(const json_t *earlier, const json_t *later, double seconds,
		const char *const *names, size_t name_count);

/* Prints a table, a line for each port, at most 80 columns if names have at most 24. 0 or -ENOMEM. */
int rates_print(FILE *out, const json_t *ports);

#endif
