/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a configuration to the running switch and back. Control thread.
 */
#ifndef VSWITCH_CONFIG_RUNNING_H
#define VSWITCH_CONFIG_RUNNING_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "config.h"

/* The end of config_running_apply(). `err` NULL: done; else words, which name the entry. */
typedef void (*config_running_done)(void *arg, const char *err);

/*
 * Does what the configuration says, port after port, and then tells `done`, from inside or later
 * from the event loop; `config` must stay until then. Unless `strict`, a port waits for a namespace,
 * interface or device that is missing. After an error part of it may be done, and the start has
 * failed.
 */
void config_running_apply(const struct config *config, bool strict, struct fdb *fdb,
		config_running_done done, void *arg);

/* The running state as a configuration file holds it, new; NULL: no memory. */
json_t *config_running_report(struct fdb *fdb);

/* What of it may mean something else at the next start: an array of sentences, new; NULL: no memory. */
json_t *config_running_warnings(void);

#endif
