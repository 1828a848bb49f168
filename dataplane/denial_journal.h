/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Denials in the log of the daemon, a line each: who was refused what, and by
 * which rule.  Names are those of the configuration; texts of clients are
 * quoted, and no byte of theirs is anything but text.
 *
 *	denied by rule ro: Produce v9, topic "pay"; client 10.9.0.7:51000,
 *	client id "web", principal "ann"; listener a/public, broker 1
 *
 * It is a sample.  In LP_DENIAL_JOURNAL_S at most LP_DENIAL_JOURNAL_RULE_MAX of
 * a rule and LP_DENIAL_JOURNAL_MAX of all are written; then a line for each
 * rule that had more says how many.
 */
#ifndef LP_DATAPLANE_DENIAL_JOURNAL_H
#define LP_DATAPLANE_DENIAL_JOURNAL_H

#include "dataplane/pipeline/denials.h"
#include "proto/config.h"

enum {
	LP_DENIAL_JOURNAL_S = 10,
	LP_DENIAL_JOURNAL_MAX = 50,
	LP_DENIAL_JOURNAL_RULE_MAX = 5,
	LP_DENIAL_JOURNAL_RULES = 64, /* all others are one */
	LP_DENIAL_JOURNAL_LINE_SIZE = 1024,
};

/* What the log keeps (denial_log.h). */
struct lp_denial_entry {
	uint64_t number;
	uint64_t time_ns; /* CLOCK_REALTIME */
	uint64_t more; /* LP_DENIAL_LEFT_OUT: so many; else 0 */
	struct lp_denial denial;
};

struct lp_denial_journal_rule {
	uint32_t slot;
	uint32_t rule_id;
	uint32_t written;
	uint64_t more;
};

/* All zero: nothing was written. */
struct lp_denial_journal {
	uint64_t since_ns;
	uint32_t written;
	uint32_t rule_count;
	uint64_t others; /* of rules that have no place */
	struct lp_denial_journal_rule rules[LP_DENIAL_JOURNAL_RULES];
};

void lp_denial_journal_note(struct lp_denial_journal *journal,
    const struct lp_denial_entry *entry, const struct lp_config *config,
    uint64_t now_ns);

/* Now and then: what was not written is told when its time is over. */
void lp_denial_journal_turn(struct lp_denial_journal *journal,
    const struct lp_config *config, uint64_t now_ns);

/* The line of one that is no LP_DENIAL_LEFT_OUT. */
void lp_denial_journal_line(char line[LP_DENIAL_JOURNAL_LINE_SIZE],
    const struct lp_denial *denial, const struct lp_config *config);

#endif
