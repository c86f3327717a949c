/* SPDX-License-Identifier: BSD-3-Clause */
#include "drop_reason.h"

const struct drop_reason_info drop_reasons[DROP_REASONS] = {
	[DROP_RING_FULL] = {
		"ring-full",
		"The receiver had no free buffers in its receive ring, or, for a flood, less than half of "
		"them; counted at the receiver.",
		"Where `show-port NAME` says that its driver gave no buffers yet: start what receives "
		"there. Else let the receiver read faster, give it a larger ring (queue_size) or send "
		"more slowly.",
	},
	[DROP_NOT_READY] = {
		"not-ready",
		"The receiver has no running receive ring; counted at the receiver, or at the sender where "
		"the receiver's port waits for its device.",
		"See `vswitchctl show-port`: attach or start its frontend, or delete the port.",
	},
	[DROP_BAD_CHAIN] = {
		"bad-chain",
		"A descriptor chain broke the virtio rules, or was too small for any frame; counted at the "
		"port that made it available.",
		"The frontend's driver is faulty or hostile: update or replace it.",
	},
	[DROP_TOO_SHORT] = {
		"too-short",
		"A frame was shorter than an Ethernet header (14 bytes); counted at its sender.",
		"Correct the program that sends such frames.",
	},
	[DROP_TOO_BIG] = {
		"too-big",
		"A frame was longer than the port's MTU + 18 bytes (22 with two VLAN tags), than the MTU "
		"that its frontend announced allows, or than one buffer of a receiver without mergeable "
		"buffers; counted at the port whose limit it broke.",
		"`show-port NAME` says which MTU counts. Raise the port's with `set-port NAME mtu=N`, "
		"and, where it is the smaller one, the frontend's (QEMU: `host_mtu=N`); or let the sender "
		"and the receiver use the same MTU.",
	},
	[DROP_SAME_PORT] = {
		"same-port",
		"The destination was learned on the port that the frame came from; counted there.",
		"Usually harmless. If not, look for one MAC address used twice (`vswitchctl fdb`).",
	},
	[DROP_DISABLED] = {
		"disabled",
		"The port is disabled; counted at that port, for frames from it and for it.",
		"Enable it with `set-port NAME enabled=on`.",
	},
	[DROP_RESERVED_ADDRESS] = {
		"reserved-address",
		"The destination is one of 01:80:C2:00:00:00 to 0F, which a bridge never forwards; "
		"counted at the sender.",
		"Switch off STP, LACP or LLDP at the sender if the frames are not wanted.",
	},
	[DROP_BAD_OFFLOAD] = {
		"bad-offload",
		"The virtio-net header asked for a checksum or segments that do not fit the frame, or that "
		"were not negotiated, or for segments of a frame whose headers take more than 256 bytes; "
		"counted at the sender.",
		"Set the port's `offload=off`, so that its frontend does this work itself from its next "
		"start on. If its frames have no such long headers, its driver is faulty or hostile: "
		"update it.",
	},
	[DROP_REFUSED] = {
		"refused",
		"The kernel or the device did not take the frame; counted at the receiver.",
		"See `vswitchctl show-port` for the state of the interface or device.",
	},
	[DROP_RESTING] = {
		"resting",
		"The receiver had taken more than its share of the switch's time and was left alone for "
		"a while; counted at the receiver.",
		"See `vswitchctl show-port`. Give the frontend memory that is there already "
		"(prealloc=on, hugepages), and do not remove or swap its pages.",
	},
	[DROP_MEMORY_LIMIT] = {
		"memory-limit",
		"The receiver's buffer lay on memory that it had never touched, and the switch may add no more "
		"to it now; counted at the receiver.",
		"See `vswitchctl show-port` for the limit; raise `max-memory`, or let the frontend touch its "
		"buffers first.",
	},
};
