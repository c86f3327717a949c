/* SPDX-License-Identifier: BSD-3-Clause */
/* See watched.h. */
#include "watched.h"

struct watched watched_control = { .thread = "the control thread" };
struct watched watched_library = { .thread = "the vhost library's thread" };
