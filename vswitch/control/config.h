/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration file as data: read and checked as a whole before anything of it is done.
 * Called by main at start. Knows neither DPDK nor libevent.
 */
#ifndef VSWITCH_CONFIG_H
#define VSWITCH_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "switching/fdb.h"
#include "ports/port.h"

#define CONFIG_VERSION 1

struct config_port {
	char name[PORT_NAME_MAX];
	char type[32];
	struct port_settings settings;
};

/* A static entry. */
struct config_station {
	struct fdb_key key;
	uint32_t port; /* index in config.ports */
};

struct config {
	uint32_t ageing_time; /* seconds; 0 = not said */
	struct config_port *ports;
	uint32_t n_ports;
	struct config_station *stations;
	uint32_t n_stations;
};

/*
 * Reads the file; a missing one is an empty one. 0, or -errno with words in `err`: file, place,
 * reason, what would be right; then there is nothing to release. -EINTR: `stop_fd` became readable
 * before the file could be read; -1: there is none.
 */
int config_read(const char *path, int stop_fd, struct config *config, char *err, size_t err_size);

/* The same for text in memory; `path` is for words only. */
int config_parse(const char *path, const char *text, size_t len, struct config *config, char *err,
		size_t err_size);

void config_release(struct config *config);

#endif
