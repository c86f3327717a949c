/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The switch's directory: made for all to pass (0711), so that frontends of other users reach
 * their sockets, with a private part (0700) for the vhost library's socket, EAL's run-time files
 * and the lock that keeps a second switch out. Called by main at start and end.
 */
#ifndef VSWITCH_RUNDIR_H
#define VSWITCH_RUNDIR_H

#include <stdbool.h>
#include <stddef.h>

#include "system/paths.h"

struct rundir {
	char dir[PATHS_SIZE];
	char private_dir[PATHS_SIZE]; /* DIR/private */
	char vhost_path[PATHS_SIZE];  /* the socket of the vhost library, in private_dir */
	bool made_dir;		      /* DIR was not there before */
	bool made_private_dir;	      /* nor was private_dir */
	int lock_fd;
};

/*
 * Makes what is missing of `dir`, takes the lock and clears what a dead switch has left in the
 * private part. 0, or -errno with words in `err`; then nothing that it made is left. -EBUSY: a
 * living switch holds the directory.
 */
int rundir_open(struct rundir *rundir, const char *dir, char *err, size_t err_size);

/*
 * After rundir_open() has succeeded: removes the private part, and DIR if it was made then and
 * nothing else is in it.
 */
void rundir_close(struct rundir *rundir);

#endif
