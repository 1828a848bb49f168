/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rule holds: the compiled form of all rules of a snapshot, and the two
 * questions that the packet path asks it.  Built by dataplane/rules.c,
 * immutable after that.
 *
 * Order
 *	By priority, the higher first; of equals the lower id.  A row's place
 *	in that order is its index.  The first rule that holds and decides
 *	wins.  `observe`, `no_create` and what is in shadow do not decide: they
 *	are told, in order, if they stand before the one that does.
 *
 * One order for connections and requests
 *	A connection rule has no field of requests and says allow, reset, route
 *	or observe: it is about the connection, whoever speaks in it.  All
 *	others are request rules, `deny` of an address too; without `from` they
 *	hold for clients alone, so that no default refusal stops replication.
 *	A limit that says how packets are sent (dscp) is both: the connection
 *	opens by it, as by an allow.
 *
 *	lp_rules_connection(), when it opens: the first connection rule that
 *	decides.  A route holds from then on; how its packets are sent is asked
 *	for again with each generation (gate.h).  Its reset acts at once, unless
 *	a request rule before it, whose connection fields hold, allows or
 *	limits: then `later` is set, the connection opens where its requests are
 *	judged (gate.h), and what is not allowed is reset at its first request.
 *	What is open already is never reset by it.
 *
 *	lp_rules_request(), for every request and each of its topics: all rules,
 *	those of connections in their places.  So nothing is refused that a
 *	rule before allows, and nothing allowed that one before refuses.
 *
 * How
 *	Tuple space search (Srinivasan, Suri, Varghese, SIGCOMM 1999), as in
 *	Open vSwitch.  The values of a rule's names, addresses and texts are
 *	multiplied out into entries; those with the same fields, each exact or
 *	of the same prefix length, are one tuple, a hash table.  What is no key
 *	(ranges, sets of numbers, API, version, acks, from) is asked of the
 *	entry.  Entries of one key are a chain in the order of rules.  Tuples
 *	are asked in the order of their first rule, until none can be before
 *	what was found; a filter tells most of those that have no such key.
 *
 *	Cost does not depend on the number of rules, but on that of tuples
 *	(some 25 cycles each, and a text's hashes once), on whether what is
 *	looked at lies in a cache (three reads for the rule that holds, two of
 *	them of tables that are small), and on the length of a chain: rules that
 *	differ in nothing but what is no key are asked one by one, some 10 to 40
 *	cycles each.  An entry that the one before it in its chain covers is
 *	left out.  Where there are many tuples the worker remembers what was
 *	said (rules_cache.h).
 *
 *	A client chooses what is looked up, never what is in the tables: each
 *	key has a place of its own there, and is compared whole, so that equal
 *	hashes decide nothing.
 */
#ifndef LP_PIPELINE_RULES_H
#define LP_PIPELINE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/pipeline/limits.h"
#include "proto/address.h"
#include "proto/rule.h"

enum {
	LP_RULES_NONE = UINT32_MAX, /* no such row */
	LP_RULES_TEXTS = LP_RULE_TRANSACTIONAL_ID - LP_RULE_CLIENT_ID + 1,
	LP_RULES_APIS = 128, /* keys that have a bit; others are ranges */
	LP_RULES_NO_ACKS = INT16_MIN,
};

/* Places in lp_rules_request.text. */
enum {
	LP_RULES_CLIENT_ID = LP_RULE_CLIENT_ID - LP_RULE_CLIENT_ID,
	LP_RULES_PRINCIPAL = LP_RULE_PRINCIPAL - LP_RULE_CLIENT_ID,
	LP_RULES_TOPIC = LP_RULE_TOPIC - LP_RULE_CLIENT_ID,
	LP_RULES_GROUP = LP_RULE_GROUP - LP_RULE_CLIENT_ID,
	LP_RULES_TRANSACTIONAL_ID =
	    LP_RULE_TRANSACTIONAL_ID - LP_RULE_CLIENT_ID,
};

/* What a connection is.  Ids are those that the rules were built with. */
struct lp_rules_connection {
	struct lp_ip src;
	struct lp_ip dst;
	uint16_t src_port;
	uint16_t dst_port;
	uint32_t cluster; /* 0: none, as of the next two */
	uint32_t listener;
	uint32_t port;
	int32_t broker; /* node id; -1: not known, or not yet chosen */
};

struct lp_rules_text {
	const uint8_t *bytes; /* NULL: null, or the API has no such field */
	uint16_t len;
	bool cut; /* it is longer: it equals none, but may have a prefix */
};

/* To which denies that name no API a request is none of theirs. */
enum lp_rules_undenied {
	LP_RULES_DENIED = 0, /* it can be denied */
	LP_RULES_UNDENIED_BY_TOPIC, /* but not by those that ask for topics */
	LP_RULES_UNDENIED,
};

/* What a request is, with one of its topics. */
struct lp_rules_request {
	struct lp_rules_text text[LP_RULES_TEXTS];
	uint32_t frame_size; /* with the size field */
	int16_t api;
	int16_t version;
	int16_t acks; /* LP_RULES_NO_ACKS: none */
	uint8_t from; /* enum lp_rule_from */
	uint8_t undenied; /* enum lp_rules_undenied */
};

struct lp_rules_found {
	uint32_t decides; /* row, or LP_RULES_NONE */
	/*
	 * Rows that hold before it and do not decide, in order: the first
	 * ones; `more` have no place, and are not counted each by itself.
	 */
	uint32_t seen_count;
	uint32_t seen[LP_RULES_SEEN_MAX];
	uint32_t more;
	bool no_create; /* one of those says so, in the list or not */
	bool later; /* of a connection: no reset yet, see above */
};

enum {
	LP_RULES_SHADOW = 1 << 0,
	LP_RULES_DECIDES = 1 << 1,
	LP_RULES_OF_CONNECTION = 1 << 2,
	LP_RULES_OF_TOPICS = 1 << 3, /* it asks for them */
	LP_RULES_SENDS = 1 << 4, /* it says how packets are sent */
	/* It asks for one, and for no topic. */
	LP_RULES_OF_GROUP = 1 << 5,
	LP_RULES_OF_TRANSACTION = 1 << 6,
};

/* A rule; its index is its place in the order. */
struct lp_rules_row {
	uint32_t id;
	/*
	 * Its counters, outside of here: a place that it keeps from one
	 * generation to the next.
	 */
	uint32_t slot;
	uint32_t action; /* index; equal ones are kept once */
	uint16_t priority;
	uint8_t verdict; /* enum lp_rule_verdict */
	uint8_t flags; /* LP_RULES_* */
};

enum lp_rules_part_kind {
	LP_RULES_NUMBER = 0, /* and ids of names */
	LP_RULES_EXACT, /* text */
	LP_RULES_PREFIX,
	LP_RULES_V4, /* address */
	LP_RULES_V6,
};

/* A field as tuples use it. */
struct lp_rules_part {
	uint8_t field; /* enum lp_rule_field */
	uint8_t kind;
	uint16_t len; /* of a prefix: bytes; of an address: bits of all 128 */
};

enum { LP_RULES_PARTS_PER_TUPLE = 13, LP_RULES_TUPLES_MANY = 16 };

struct lp_rules_tuple {
	uint32_t first_row; /* none of its entries is of one before */
	uint32_t fields; /* 1 << enum lp_rule_field */
	uint32_t words; /* index of the first in lp_rules.filters */
	uint32_t word_count;
	uint32_t places; /* index of the first */
	uint32_t place_count;
	uint8_t part_count;
	uint16_t parts[LP_RULES_PARTS_PER_TUPLE]; /* in the order of fields */
};

enum {
	LP_RULES_FROM_MASK = 3, /* 1 << enum lp_rule_from */
	LP_RULES_API_ASKED = 1 << 2,
	LP_RULES_API_TERMS = 1 << 3, /* keys without a bit, too */
	LP_RULES_ACKS_SHIFT = 4, /* bits of acks -1, 0, 1; none: not asked */
	LP_RULES_ACKS_MASK = 7 << LP_RULES_ACKS_SHIFT,
	LP_RULES_IF_DENIED = 1 << 7, /* a deny that names no API */
};

/* What the key does not say.  Rules that ask the same share one. */
struct lp_rules_condition {
	uint64_t api[LP_RULES_APIS / 64];
	uint32_t terms; /* index of the first */
	uint16_t term_count;
	uint16_t asks;
};

/*
 * One combination of a rule's values.  Behind the first one of a key the key
 * follows.
 */
struct lp_rules_entry {
	uint32_t row;
	uint32_t next; /* of the same key, later in the order; 0: none */
	uint32_t condition; /* index */
};

/* A range of a number; those of one field follow each other, one must hold. */
struct lp_rules_term {
	uint32_t low;
	uint32_t high;
	uint32_t field;
};

enum lp_rules_table_kind {
	LP_RULES_CONNECTION_DECIDES = 0,
	LP_RULES_CONNECTION_SEES,
	/* Request rules that let pass, by their connection fields alone. */
	LP_RULES_CONNECTION_LATER,
	LP_RULES_REQUEST_DECIDES,
	LP_RULES_REQUEST_SEES,
	LP_RULES_TABLES,
};

struct lp_rules_table {
	struct lp_rules_tuple *tuples; /* by first_row */
	uint32_t count;
};

struct lp_rules {
	uint64_t seed;
	struct lp_rules_table tables[LP_RULES_TABLES];
	/*
	 * A word for some four keys of a tuple (rules_hash.h).  Of each key two
	 * bits (a blocked Bloom filter, Putze, Sanders, Singler 2007): most
	 * tuples that have no such key are left after a look at a table that
	 * is a thirtieth of the others.  And the number that gives each of
	 * them a place of its own (hash and displace, Belazzougui, Botelho,
	 * Dietzfelbinger 2009): no other key is ever looked at.
	 */
	uint64_t *filters;
	uint32_t *places; /* of each the entry; 0: free */
	/*
	 * Entries and keys in words; entry n begins at word n, 0 is none.  What
	 * fits into a cache line lies in one.
	 */
	uint64_t *words;
	struct lp_rules_condition *conditions;
	struct lp_rules_term *terms;
	struct lp_rules_row *rows;
	struct lp_rule_action *actions;
	/* By field, kind and length: those of a field lie together. */
	struct lp_rules_part *parts;
	uint16_t part_first[LP_RULE_FIELD_COUNT];
	uint16_t part_count[LP_RULE_FIELD_COUNT];
	uint32_t row_count;
	uint32_t action_count;
	uint32_t entry_count;
	uint32_t chain_max; /* entries of one key */
	bool many; /* tuples of requests: it is worth to remember answers */
	bool asks_size; /* any rule asks for the size of frames */
	bool has_requests; /* any rule is no connection rule */
	/*
	 * Any acts on requests: of those a deny, reset, limit or no_create; or
	 * a reset of connections behind one of those that lets some pass.
	 */
	bool acts;
	bool limits; /* any of those does */
	bool has_general_deny; /* LP_RULES_IF_DENIED */
	bool sends; /* any says how packets of a connection are sent */
	bool prioritizes; /* and which of them first; not in shadow */
	/* By API, as bits: any of those asks for topics. */
	uint64_t acts_on_topics[LP_RULES_APIS / 64];
	uint64_t denies[LP_RULES_APIS / 64]; /* likewise, any denies it */
	/* By API: versions, as bits, that are denied in any way, */
	uint32_t deniable[LP_RULES_APIS];
	/* and that are denied by partitions' indexes. */
	uint32_t by_index[LP_RULES_APIS];
	uint32_t by_name[LP_RULES_APIS]; /* likewise, by topics' names */
	uint32_t by_whole[LP_RULES_APIS]; /* likewise, all of it at once */
	uint32_t by_answer[LP_RULES_APIS]; /* likewise, by their answers */
	/* By API, as bits: of those denied by indexes, what can be told that
	 * its group, or its transactional id, is refused. */
	uint64_t tells_group[LP_RULES_APIS / 64];
	uint64_t tells_transaction[LP_RULES_APIS / 64];
	/* By API, as bits: no limit holds for it. */
	uint64_t unlimited[LP_RULES_APIS / 64];
	/*
	 * Likewise: any limits topics of it, in shadow or not, which its
	 * answers tell; and any asks for what only its requests say.
	 */
	uint64_t limits_topics[LP_RULES_APIS / 64];
	uint64_t recalls[LP_RULES_APIS / 64];
	size_t size_bytes; /* all of it */
};

static inline const struct lp_rules_entry *
lp_rules_entry(const struct lp_rules *rules, uint32_t at)
{
	return (const struct lp_rules_entry *)(rules->words + at);
}

static inline bool
lp_rules_is_unlimited(const struct lp_rules *rules, int16_t api)
{
	return api >= 0 && api < LP_RULES_APIS &&
	    (rules->unlimited[api / 64] >> api % 64 & 1) != 0;
}

static inline bool
lp_rules_limits_topics(const struct lp_rules *rules, int16_t api)
{
	return api >= 0 && api < LP_RULES_APIS &&
	    (rules->limits_topics[api / 64] >> api % 64 & 1) != 0;
}

/* It limits a topic of that API, and holds for its answers. */
static inline bool
lp_rules_is_of_answer(
    const struct lp_rules *rules, const struct lp_rules_row *row, int16_t api)
{
	return row->verdict == LP_RULE_LIMIT &&
	    (row->flags & LP_RULES_OF_TOPICS) != 0 &&
	    lp_rules_limits_topics(rules, api);
}

/* Of a connection that opens. */
void lp_rules_connection(const struct lp_rules *rules,
    const struct lp_rules_connection *connection, struct lp_rules_found *out);

/* Of a request, once for each of its topics, or without one. */
void lp_rules_request(const struct lp_rules *rules,
    const struct lp_rules_connection *connection,
    const struct lp_rules_request *request, struct lp_rules_found *out);

#endif
