/* SPDX-License-Identifier: BSD-3-Clause */
/* See last_words.h. */
#include "last_words.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *name;
static void (*say_more)(void);

static void
say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return; /* nobody reads it */
}

/* SA_RESETHAND: the default action follows. abort() also ends process 1, which ignores SIGABRT. */
static void
on_abort(int number)
{
	(void)number;
	if (say_more != NULL)
		say_more();
	say(name);
	say(": aborted: a fault of this program or of a library; its message, if there is one, is "
	    "above; please report it\n");
	abort();
}

void
last_words_open(const char *program, void (*tell)(void))
{
	struct sigaction action = { .sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND };

	name = program;
	say_more = tell;
	sigemptyset(&action.sa_mask);
	sigaction(SIGABRT, &action, NULL);
}
