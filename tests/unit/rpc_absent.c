/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the methods of the control protocol call of the rest of the switch, absent: programs that
 * check the real tables of methods link with this, and run stand-ins in place of the methods.
 */
#include <stdlib.h>

#define ABSENT(name)                                                                               \
	void name(void);                                                                           \
	void name(void)                                                                            \
	{                                                                                          \
		abort();                                                                           \
	}

ABSENT(config_running_report)
ABSENT(config_running_warnings)
ABSENT(config_save_write)
ABSENT(events_watch)
ABSENT(helper_run)
ABSENT(port_add)
ABSENT(port_after)
ABSENT(port_by_id)
ABSENT(port_clear_stats)
ABSENT(port_delete)
ABSENT(port_device)
ABSENT(port_fault)
ABSENT(port_find)
ABSENT(port_first)
ABSENT(port_id)
ABSENT(port_name)
ABSENT(port_next)
ABSENT(port_path)
ABSENT(port_peer)
ABSENT(port_rates)
ABSENT(port_rejected)
ABSENT(port_session)
ABSENT(port_set)
ABSENT(port_settings)
ABSENT(port_state)
ABSENT(port_state_name)
ABSENT(port_state_text)
ABSENT(port_stats)
ABSENT(port_time)
ABSENT(port_type)
ABSENT(port_vring_info)
ABSENT(vhost_lib_sessions)
ABSENT(worker_count)
ABSENT(worker_info)
