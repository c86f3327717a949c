/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The roles of vuser-client, one file each. main opens the ports and runs one role.
 *
 * A role runs until it is done, --time has passed, a signal comes or the backend is lost. Then it fills the
 * report and returns the exit status of its result.
 */
#ifndef CLIENT_ROLE_H
#define CLIENT_ROLE_H

#include "backend/client.h"
#include "process/report.h"
#include "process/status.h"

enum status role_respond(struct client *c, struct report *r);
enum status role_ping(struct client *c, struct report *r);
enum status role_send(struct client *c, struct report *r);
enum status role_receive(struct client *c, struct report *r);
enum status role_echo(struct client *c, struct report *r);
enum status role_bench(struct client *c, struct report *r);
enum status role_kernel(struct client *c, struct report *r);

#endif
