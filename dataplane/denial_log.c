/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/denial_log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { TOLD_NS = 1000000000 };

static void take(struct lp_denial_log *log, const struct lp_denial *denial,
    const struct lp_config *config, uint64_t now_ns, uint64_t real_ns);
static void leave_out(
    struct lp_denial_log *log, const struct lp_denial *denial);
static struct lp_denial_pending *find(struct lp_denial_log *log, uint32_t slot);
static void tell(struct lp_denial_log *log, struct lp_denial_pending *pending,
    uint64_t left_out, const struct lp_config *config, uint64_t now_ns,
    uint64_t real_ns);
static struct lp_denial_entry *add(struct lp_denial_log *log);

int
lp_denial_log_new(struct lp_denial_log **out, uint64_t id)
{
	struct lp_denial_log *log = calloc(1, sizeof(*log));

	assert(id != 0);
	if (!log)
		return -ENOMEM;
	log->id = id;
	*out = log;
	return 0;
}

void
lp_denial_log_free(struct lp_denial_log *log)
{
	free(log);
}

void
lp_denial_log_turn(struct lp_denial_log *log, struct lp_denials *denials,
    const struct lp_config *config, uint64_t now_ns, uint64_t real_ns)
{
	const struct lp_denial *denial;

	while ((denial = lp_denials_oldest(denials)) != NULL) {
		if (denial->kind == LP_DENIAL_LEFT_OUT)
			leave_out(log, denial);
		else
			take(log, denial, config, now_ns, real_ns);
		lp_denials_consumed(denials);
	}
	for (unsigned i = log->pending_count; i-- > 0;) {
		struct lp_denial_pending *pending = &log->pending[i];
		uint64_t left_out = lp_denials_left_out(denials, pending->slot);

		if (now_ns < pending->since_ns + TOLD_NS)
			continue;
		if (left_out > pending->told)
			tell(log, pending, left_out, config, now_ns, real_ns);
		else
			*pending = log->pending[--log->pending_count];
	}
	lp_denial_journal_turn(&log->journal, config, now_ns);
}

const struct lp_denial_entry *
lp_denial_log_get(const struct lp_denial_log *log, uint64_t number)
{
	if (number < lp_denial_log_oldest(log) || number > log->last)
		return NULL;
	return &log->entries[number % LP_DENIAL_LOG_MAX];
}

uint64_t
lp_denial_log_oldest(const struct lp_denial_log *log)
{
	return log->last < LP_DENIAL_LOG_MAX
	    ? 1
	    : log->last - LP_DENIAL_LOG_MAX + 1;
}

static void
take(struct lp_denial_log *log, const struct lp_denial *denial,
    const struct lp_config *config, uint64_t now_ns, uint64_t real_ns)
{
	struct lp_denial_entry *entry = add(log);

	entry->time_ns = real_ns - (now_ns - denial->time_ns);
	entry->denial = *denial;
	entry->more = 0;
	lp_denial_journal_note(&log->journal, entry, config, now_ns);
}

/* It may be the next second of one that has not been told yet. */
static void
leave_out(struct lp_denial_log *log, const struct lp_denial *denial)
{
	struct lp_denial_pending *pending = find(log, denial->slot);

	if (pending == NULL && log->pending_count == LP_DENIAL_LOG_PENDING_MAX)
		return;
	if (pending == NULL) {
		pending = &log->pending[log->pending_count++];
		pending->slot = denial->slot;
		pending->told = denial->left_out;
		pending->since_ns = denial->time_ns;
	}
	pending->rule_id = denial->rule_id;
}

static struct lp_denial_pending *
find(struct lp_denial_log *log, uint32_t slot)
{
	for (unsigned i = 0; i < log->pending_count; i++)
		if (log->pending[i].slot == slot)
			return &log->pending[i];
	return NULL;
}

/* It stays for another second, to be told of no more. */
static void
tell(struct lp_denial_log *log, struct lp_denial_pending *pending,
    uint64_t left_out, const struct lp_config *config, uint64_t now_ns,
    uint64_t real_ns)
{
	struct lp_denial_entry *entry = add(log);

	entry->time_ns = real_ns;
	entry->more = left_out - pending->told;
	entry->denial = (struct lp_denial){.time_ns = now_ns,
	    .kind = LP_DENIAL_LEFT_OUT,
	    .slot = pending->slot,
	    .rule_id = pending->rule_id,
	    .api = LP_DENIALS_NO_API};
	pending->told = left_out;
	pending->since_ns = now_ns;
	lp_denial_journal_note(&log->journal, entry, config, now_ns);
}

static struct lp_denial_entry *
add(struct lp_denial_log *log)
{
	struct lp_denial_entry *entry;

	log->last++;
	entry = &log->entries[log->last % LP_DENIAL_LOG_MAX];
	entry->number = log->last;
	return entry;
}
