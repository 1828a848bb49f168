/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which requests can be denied: by an edit that makes the broker refuse what is
 * denied, or by one of the answer.  Of the others it is said what to do
 * instead.
 */
#include "proto/rule_words.h"

#include "proto/apis.h"

enum how {
	NOT_AT_ALL, /* nothing in it can be refused */
	BY_INDEX, /* each topic that it names, by each of its partitions */
	BY_NAME, /* likewise, by its name alone */
	BY_ANSWER, /* each topic that its answer tells, named or not */
	AS_A_WHOLE,
	/* What follows would wait for it. */
	NOT_THE_TRANSACTION,
	NOT_THE_MEMBER,
	NOT_THE_ASSIGNMENT,
	/* They are denied where they come. */
	NOT_THE_OFFSETS,
};

#define FROM(version) (UINT32_MAX << (version))
#define UP_TO(version) (UINT32_MAX >> (31 - (version)))

/* What it can be told by an error code of its own, beside topics. */
enum told {
	GROUP = 1 << 0,
	TRANSACTION = 1 << 1,
};

enum {
	TOPIC_AUTHORIZATION_FAILED = 29,
	GROUP_AUTHORIZATION_FAILED = 30,
	TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53,
};

static const struct {
	uint8_t how; /* enum how */
	uint8_t told; /* enum told */
	uint32_t versions; /* 0: all */
} table[] = {
    [0] = {BY_INDEX, TRANSACTION, 0}, /* Produce */
    [1] = {BY_INDEX, 0, 0}, /* Fetch */
    [2] = {BY_INDEX, 0, 0}, /* ListOffsets */
    [3] = {BY_NAME, 0, 0}, /* Metadata */
    [8] = {BY_INDEX, GROUP, FROM(1)}, /* OffsetCommit: 0 is ZooKeeper's */
    [9] = {BY_ANSWER, 0, FROM(1)}, /* OffsetFetch: likewise */
    [11] = {AS_A_WHOLE, GROUP, 0}, /* JoinGroup */
    [12] = {AS_A_WHOLE, GROUP, 0}, /* Heartbeat */
    [13] = {NOT_THE_MEMBER, 0, 0}, /* LeaveGroup */
    [14] = {NOT_THE_ASSIGNMENT, 0, 0}, /* SyncGroup */
    [19] = {BY_NAME, 0, 0}, /* CreateTopics */
    [20] = {BY_NAME, 0, 0}, /* DeleteTopics */
    [21] = {BY_INDEX, 0, 0}, /* DeleteRecords */
    [22] = {AS_A_WHOLE, TRANSACTION, 0}, /* InitProducerId */
    [23] = {BY_ANSWER, 0, 0}, /* OffsetForLeaderEpoch */
    [24] = {BY_INDEX, TRANSACTION, UP_TO(3)}, /* AddPartitionsToTxn */
    [25] = {NOT_THE_OFFSETS, 0, 0}, /* AddOffsetsToTxn */
    [26] = {NOT_THE_TRANSACTION, 0, 0}, /* EndTxn */
    [28] = {BY_INDEX, GROUP | TRANSACTION, 0}, /* TxnOffsetCommit */
    [32] = {BY_NAME, 0, 0}, /* DescribeConfigs */
    [33] = {BY_NAME, 0, 0}, /* AlterConfigs */
    [37] = {BY_NAME, 0, 0}, /* CreatePartitions */
    [43] = {BY_INDEX, 0, 0}, /* ElectLeaders */
    [44] = {BY_NAME, 0, 0}, /* IncrementalAlterConfigs */
    [45] = {BY_INDEX, 0, 0}, /* AlterPartitionReassignments */
    [47] = {BY_INDEX, GROUP, 0}, /* OffsetDelete */
    [61] = {BY_INDEX, 0, 0}, /* DescribeProducers */
    [68] = {AS_A_WHOLE, GROUP, 0}, /* ConsumerGroupHeartbeat */
    [75] = {BY_NAME, 0, 0}, /* DescribeTopicPartitions */
    [76] = {AS_A_WHOLE, GROUP, 0}, /* ShareGroupHeartbeat */
    [78] = {BY_INDEX, 0, 0}, /* ShareFetch */
    [79] = {BY_INDEX, 0, 0}, /* ShareAcknowledge */
    [88] = {AS_A_WHOLE, GROUP, 0}, /* StreamsGroupHeartbeat */
};

static const char *const instead[] = {
    [NOT_AT_ALL] = "nothing in it can be refused; use reset (an AdminClient "
		   "tries again until its timeout)",
    [NOT_THE_TRANSACTION] = "that leaves the transaction hanging; deny "
			    "InitProducerId with a transactional_id instead",
    [NOT_THE_MEMBER] = "that leaves the member in its group until its session "
		       "times out; deny JoinGroup instead",
    [NOT_THE_OFFSETS] = "it commits none yet; deny TxnOffsetCommit instead",
    [NOT_THE_ASSIGNMENT] = "that leaves the group without an assignment; deny "
			   "JoinGroup instead",
};

static enum how
how_of(int64_t api)
{
	return api >= 0 && api < (int64_t)(sizeof(table) / sizeof(table[0]))
	    ? (enum how)table[api].how
	    : NOT_AT_ALL;
}

const char *
lp_rule_deny_fault(int64_t api)
{
	enum how how = how_of(api);

	return instead[how];
}

uint32_t
lp_rule_deny_versions(int64_t api)
{
	const struct lp_apis_entry *entry = lp_apis_get(api);

	if (!entry || lp_rule_deny_fault(api))
		return 0;
	return lp_apis_versions(entry) &
	    (table[api].versions ? table[api].versions : UINT32_MAX);
}

int16_t
lp_rule_deny_code(int64_t api, uint32_t fields)
{
	uint8_t told = how_of(api) != NOT_AT_ALL ? table[api].told : (uint8_t)0;

	if (how_of(api) == AS_A_WHOLE)
		return told & GROUP ? GROUP_AUTHORIZATION_FAILED
				    : TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
	if (fields >> LP_RULE_TOPIC & 1)
		return TOPIC_AUTHORIZATION_FAILED;
	/* Brokers look at the transactional id first. */
	if ((told & TRANSACTION) && (fields >> LP_RULE_TRANSACTIONAL_ID & 1))
		return TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
	if ((told & GROUP) && (fields >> LP_RULE_GROUP & 1))
		return GROUP_AUTHORIZATION_FAILED;
	return TOPIC_AUTHORIZATION_FAILED;
}

bool
lp_rule_deny_is_by_part(int64_t api)
{
	return how_of(api) == BY_INDEX || how_of(api) == BY_NAME;
}

bool
lp_rule_deny_is_by_index(int64_t api)
{
	return how_of(api) == BY_INDEX;
}

bool
lp_rule_deny_is_by_name(int64_t api)
{
	return how_of(api) == BY_NAME;
}

bool
lp_rule_deny_is_by_answer(int64_t api)
{
	return how_of(api) == BY_ANSWER;
}

bool
lp_rule_deny_is_whole(int64_t api)
{
	return how_of(api) == AS_A_WHOLE;
}
