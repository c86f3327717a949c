/* SPDX-License-Identifier: BSD-3-Clause */
#include "honest_account.h"

void
honest_account_sent(struct honest_account *account)
{
	account->seen[account->sent % HONEST_WINDOW] = false;
	account->sent++;
	account->counts.sent++;
}

void
honest_account_seen(struct honest_account *account, uint64_t number)
{
	bool *seen = &account->seen[number % HONEST_WINDOW];

	if (account->sent - number > HONEST_WINDOW || *seen) {
		account->counts.doubled++;
		return;
	}
	*seen = true;
	account->counts.seen++;
	if (number < account->next)
		account->counts.disordered++;
	else
		account->next = number + 1;
}

void
honest_account_settle(struct honest_account *account, uint64_t taken)
{
	while (account->settled < account->sent) {
		bool seen = account->seen[account->settled % HONEST_WINDOW];

		if (!seen && account->settled >= taken)
			return;
		if (!seen)
			account->counts.lost++;
		account->settled++;
	}
}
