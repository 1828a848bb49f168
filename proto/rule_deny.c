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
};

#define FROM(version) (UINT32_MAX << (version))
#define UP_TO(version) (UINT32_MAX >> (31 - (version)))

static const struct {
	uint8_t how; /* enum how */
	uint32_t versions; /* 0: all */
} table[] = {
    [0] = {BY_INDEX, 0}, /* Produce */
    [1] = {BY_INDEX, 0}, /* Fetch */
    [2] = {BY_INDEX, 0}, /* ListOffsets */
    [3] = {BY_NAME, 0}, /* Metadata */
    [8] = {BY_INDEX, FROM(1)}, /* OffsetCommit: 0 is ZooKeeper's */
    [9] = {BY_ANSWER, FROM(1)}, /* OffsetFetch: likewise */
    [11] = {AS_A_WHOLE, 0}, /* JoinGroup */
    [12] = {AS_A_WHOLE, 0}, /* Heartbeat */
    [13] = {NOT_THE_MEMBER, 0}, /* LeaveGroup */
    [14] = {NOT_THE_ASSIGNMENT, 0}, /* SyncGroup */
    [19] = {BY_NAME, 0}, /* CreateTopics */
    [20] = {BY_NAME, 0}, /* DeleteTopics */
    [21] = {BY_INDEX, 0}, /* DeleteRecords */
    [22] = {AS_A_WHOLE, 0}, /* InitProducerId */
    [23] = {BY_ANSWER, 0}, /* OffsetForLeaderEpoch */
    [24] = {BY_INDEX, UP_TO(3)}, /* AddPartitionsToTxn */
    [25] = {NOT_THE_TRANSACTION, 0}, /* AddOffsetsToTxn */
    [26] = {NOT_THE_TRANSACTION, 0}, /* EndTxn */
    [28] = {BY_INDEX, 0}, /* TxnOffsetCommit */
    [32] = {BY_NAME, 0}, /* DescribeConfigs */
    [33] = {BY_NAME, 0}, /* AlterConfigs */
    [37] = {BY_NAME, 0}, /* CreatePartitions */
    [43] = {BY_INDEX, 0}, /* ElectLeaders */
    [44] = {BY_NAME, 0}, /* IncrementalAlterConfigs */
    [45] = {BY_INDEX, 0}, /* AlterPartitionReassignments */
    [47] = {BY_INDEX, 0}, /* OffsetDelete */
    [61] = {BY_INDEX, 0}, /* DescribeProducers */
    [68] = {AS_A_WHOLE, 0}, /* ConsumerGroupHeartbeat */
    [75] = {BY_NAME, 0}, /* DescribeTopicPartitions */
    [76] = {AS_A_WHOLE, 0}, /* ShareGroupHeartbeat */
    [78] = {BY_INDEX, 0}, /* ShareFetch */
    [79] = {BY_INDEX, 0}, /* ShareAcknowledge */
    [88] = {AS_A_WHOLE, 0}, /* StreamsGroupHeartbeat */
};

static const char *const instead[] = {
    [NOT_AT_ALL] = "nothing in it can be refused; use reset (an AdminClient "
		   "tries again until its timeout)",
    [NOT_THE_TRANSACTION] = "that leaves the transaction hanging; deny "
			    "InitProducerId with a transactional_id instead",
    [NOT_THE_MEMBER] = "that leaves the member in its group until its session "
		       "times out; deny JoinGroup instead",
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
