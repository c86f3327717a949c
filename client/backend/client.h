/* SPDX-License-Identifier: BSD-3-Clause */
/* All that a role needs. main fills it in before a role runs; main thread. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <stddef.h>

#include "device.h"
#include "exception.h"
#include "settings/settings.h"

struct client {
	const struct settings *settings;
	struct rte_mempool *pool;
	struct device devices[SETTINGS_PATHS_MAX];
	size_t device_count; /* open devices; in the role kernel the last one is the exception port */
	struct exception exception;
	bool has_exception;
};

#endif
