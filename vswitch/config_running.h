/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a configuration to the running switch and back. Control thread.
 */
#ifndef VSWITCH_CONFIG_RUNNING_H
#define VSWITCH_CONFIG_RUNNING_H

#include <stddef.h>

#include <jansson.h>

#include "config.h"

/*
 * Does what the configuration says. 0, or -errno with words in `err`, which name the entry; then
 * part of it may be done, and the start has failed.
 */
int config_running_apply(const struct config *config, struct fdb *fdb, char *err, size_t err_size);

/* The running state as a configuration file holds it, new; NULL: no memory. */
json_t *config_running_report(struct fdb *fdb);

#endif
