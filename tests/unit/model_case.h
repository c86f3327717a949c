/* SPDX-License-Identifier: BSD-3-Clause */
/* One case of the model test: a sender, one or two receivers, some turns of a worker. */
#ifndef TESTS_MODEL_CASE_H
#define TESTS_MODEL_CASE_H

#include <stddef.h>
#include <stdio.h>

#include "model_choices.h"

/* Once, before the first case. */
void model_case_init(void);

/*
 * Plays the case that `choices` make on the switch and on the model. True when both did the same;
 * else `difference` says what the first difference is. `trace` (NULL: none) hears each step.
 */
bool model_case_run(struct choices *choices, FILE *trace, char *difference, size_t size);

#endif
