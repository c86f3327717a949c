/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every part of the gate uses: ends a session, asks the port to quiesce, drops a connection.
 * Nothing here calls another part. Control thread, by the gate.
 */
#include "gate_internal.h"

#include <stdio.h>
#include <sys/socket.h>

void
gate_drop(struct gate *gate, int fd)
{
	/* the peer is to see the end at once; the reaper closes later */
	shutdown(fd, SHUT_RDWR);
	fd_reaper_close(fd, gate->unclosed);
}

bool
gate_is_clogged(const struct gate *gate, char *why, size_t why_size)
{
	uint32_t resisting = fd_reaper_resisting(gate->unclosed);
	uint32_t pending = fd_reaper_pending(gate->unclosed);

	if (resisting <= GATE_UNCLOSED_MAX && pending <= GATE_PENDING_MAX)
		return false;
	snprintf(why, why_size,
			"%u descriptors that frontends of this port sent cannot be closed: the programs "
			"behind them do not answer; end them, or delete the port and add it again",
			resisting > GATE_UNCLOSED_MAX ? resisting : pending);
	return true;
}

bool
gate_is_ending(const struct gate *gate)
{
	return gate->state == GATE_ENDING || gate->state == GATE_CLOSING;
}

void
gate_defer(struct gate *gate)
{
	event_active(&gate->step, 0, 0);
}

void
gate_end(struct gate *gate, const char *fault)
{
	if (gate->state == GATE_IDLE || gate_is_ending(gate))
		return;
	gate->state = GATE_ENDING;
	if (fault != NULL) {
		gate->at_fault = true;
		snprintf(gate->fault, sizeof(gate->fault), "%s", fault);
	}
	event_del(&gate->readable);
	event_del(&gate->pause);
	if (!gate->answer_due)
		event_del(&gate->limit);
	gate_defer(gate);
}

void
gate_request_quiesce(struct gate *gate, uint32_t vring_mask)
{
	gate->quiesce_asked = true;
	gate->ops->quiesce(gate->port, vring_mask);
}
