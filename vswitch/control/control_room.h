/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who makes room when there are more clients than places. Up to CONTROL_CLIENTS_KEPT nobody has to
 * go. Beyond that the clients go that ask for nothing, and those that are busy have the places up to
 * CONTROL_CLIENTS_MAX. Beyond that a client of the process goes that has most of them, be it the new
 * one: so nobody can keep another process's client out by being many, busy or both. Control thread;
 * used by control.c.
 */
#ifndef VSWITCH_CONTROL_ROOM_H
#define VSWITCH_CONTROL_ROOM_H

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>

/* Clients that are served at once, however little they ask for. */
#define CONTROL_CLIENTS_KEPT 64

/* Clients that are served at once. */
#define CONTROL_CLIENTS_MAX 128

struct control_client;

LIST_HEAD(control_clients, control_client);

/* Looks for clients that have left, and for those that read nothing: once before any number of the
 * calls below. */
void control_room_look(const struct control_clients *clients);

/*
 * Before a client is accepted: those go that ask for nothing. False: the new one has to wait, because
 * the clients are as many processes, and all have just come.
 */
bool control_room_make(const struct control_clients *clients);

/*
 * After a client of the process `pid` was accepted: if there are too many, a busy one goes. False: it
 * is the new one that has to go.
 */
bool control_room_take(const struct control_clients *clients, pid_t pid);

/* Why: for who has to go. */
extern const char control_room_refusal[];

/* Lists a client beside those of its process. */
void control_room_enter(struct control_clients *clients, struct control_client *client);

#endif
