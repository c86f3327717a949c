/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The roles of vuser-client, one file each. main runs one, with the ports open.
 *
 * A role runs until its own end, --time, a signal, or the loss of the backend, fills the report and
 * returns the exit status that its result deserves.
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
