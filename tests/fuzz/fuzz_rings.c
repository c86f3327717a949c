/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two or three ports with rings and chains over memory of many layouts: the source of one and the
 * sinks of the others, compared with the model of tests/unit after each step. The input is the list
 * of choices from which model_case.c makes a case.
 *
 * A byte is a choice; where more than 255 may be chosen from, 0xff and two more are one.
 */
#include <stdbool.h>

#include "fuzz.h"
#include "model_case.h"

#define WIDE 0xff

static void
choices_read(struct choices *choices, struct fuzz_input *input)
{
	choices->n = 0;
	while (input->left > 0 && choices->n < CHOICES_MAX) {
		uint32_t value = fuzz_u8(input);

		choices->values[choices->n++] = value == WIDE ? fuzz_u16(input) : value;
	}
	choices_replay(choices);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	static struct choices choices;
	static char difference[512];
	static bool ready;

	if (!ready)
		model_case_init();
	ready = true;
	choices_read(&choices, &input);
	if (!model_case_run(&choices, NULL, difference, sizeof(difference)))
		FUZZ_FAIL("%s", difference);
	return 0;
}
