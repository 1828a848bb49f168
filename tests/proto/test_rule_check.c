/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rule.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/apis.h"

static struct lp_rule_match match;
static struct lp_rule_action action;
static struct lp_rule_error error;

static int
check(const char *match_text, const char *action_text)
{
	ck_assert_msg(lp_rule_match_parse(&match, match_text, &error) == 0,
	    "%s: %s", match_text, error.why);
	ck_assert_msg(lp_rule_action_parse(&action, action_text, &error) == 0,
	    "%s: %s", action_text, error.why);
	return lp_rule_check(&match, &action, &error);
}

/* With a warning, or "". */
static const struct {
	const char *match, *action, *warning;
} good[] = {
    {"", "allow", ""},
    {"src=10.0.0.0/8", "reset", ""},
    {"acks=0", "deny",
	"a Produce with acks=0 has no answer: where a part of it is denied, "
	"the broker closes the connection"},
    {"api=Produce transactional_id=*", "allow", ""},
    {"api=WriteTxnMarkers from=broker topic=x", "reset", ""},
    {"api=Fetch from=client", "deny", ""},
    {"api=AddPartitionsToTxn", "deny", ""},
    {"api=InitProducerId transactional_id=*", "deny", ""},
    {"api=OffsetCommit version=0-5", "deny", ""},
    {"topic=secret-*", "deny", ""},
    {"topic=x group=y transactional_id=z", "allow", ""},
    {"group=g api=ConsumerGroupHeartbeat topic=x", "observe",
	"topics that a ConsumerGroupHeartbeat chooses by a pattern are not "
	"seen; what names no topic, and means all of them or those as before, "
	"is not matched: ConsumerGroupHeartbeat"},
    {"api=Metadata,OffsetFetch topic=x", "deny",
	"what names no topic, and means all of them or those as before, is not "
	"matched: Metadata"},
    {"api=Metadata", "deny",
	"what names no topic, and means all of them or those as before, is not "
	"matched: Metadata"},
    {"api=ElectLeaders", "deny",
	"what names no topic, and means all of them or those as before, is not "
	"matched: ElectLeaders"},
    {"api=OffsetFetch group=x", "deny", ""},
    {"api=OffsetFetch topic=x", "reset",
	"what names no topic, and means all of them or those as before, is not "
	"matched: OffsetFetch"},
    {"api=Produce acks=0,1", "deny",
	"a Produce with acks=0 has no answer: where a part of it is denied, "
	"the broker closes the connection"},
    {"api=IncrementalAlterConfigs topic=x", "deny", ""},
    {"cluster=a", "route broker=1", ""},
    {"src=1.2.3.4", "mirror=p", ""},
    {"", "no_create", ""},
    {"topic=x", "no_create", ""},
    {"src=10.0.0.0/8", "limit bytes=1MB/s", ""},
    {"version=18", "deny", ""},
    {"cluster=a,b listener=a/x,b/y", "reset", ""},
    {"principal=User:bob", "observe",
	"a principal is the name of a user as SASL has it, without User:"},
    {"principal=bob,User*", "observe", ""},
};

START_TEST(what_goes_together_passes)
{
	ck_assert_msg(
	    check(good[_i].match, good[_i].action) == 0, "%s", error.why);
	ck_assert_str_eq(error.why, good[_i].warning);
	ck_assert_uint_eq(error.column, 0);
}
END_TEST

/* What of the canonical match is underlined; "": the action is wrong. */
static const struct {
	const char *match, *action, *underlined, *why;
} bad[] = {
    {"src=10.0.0.0/8", "deny", "",
	"deny answers requests: name them (api, topic, group, client_id, ...), "
	"or use reset for connections"},
    {"", "deny", "",
	"deny answers requests: name them (api, topic, group, client_id, ...), "
	"or use reset for connections"},
    {"api=Fetch group=x", "allow", "group",
	"no Fetch has a group: those that have are OffsetCommit, OffsetFetch, "
	"JoinGroup, Heartbeat, LeaveGroup, SyncGroup, DescribeGroups, "
	"AddOffsetsToTxn, TxnOffsetCommit, DeleteGroups, OffsetDelete, ..."},
    {"api=OffsetCommit,Fetch group=x", "allow", "group",
	"no Fetch has a group: those that have are OffsetCommit, OffsetFetch, "
	"JoinGroup, Heartbeat, LeaveGroup, SyncGroup, DescribeGroups, "
	"AddOffsetsToTxn, TxnOffsetCommit, DeleteGroups, OffsetDelete, ..."},
    {"api=Fetch acks=0", "allow", "acks",
	"no Fetch has acks: those that have are Produce"},
    {"api=Heartbeat topic=x", "observe", "topic",
	"no Heartbeat has a topic: those that have are Produce, Fetch, "
	"ListOffsets, Metadata, OffsetCommit, OffsetFetch, CreateTopics, "
	"DeleteTopics, DeleteRecords, OffsetForLeaderEpoch, "
	"AddPartitionsToTxn, ..."},
    {"api=JoinGroup topic=x", "observe", "topic",
	"the topics of a JoinGroup are in bytes of the client's own: a rule "
	"for Fetch sees them"},
    {"api=Produce version=0-2 transactional_id=*", "allow", "version",
	"Produce has a transactional_id in versions 3 to 13"},
    {"api=Fetch version=40", "allow", "40", "Fetch has versions 0 to 18"},
    {"api=Fetch,Produce version=14-", "allow", "version",
	"Produce has versions 0 to 13"},
    {"version=100", "allow", "100",
	"no API that is known has it: the last version is 18"},
    {"api=Fetch,Heartbeat version=3,9,30", "allow", "30",
	"no API that is named here has it: the last version is 18"},
    {"api=WriteTxnMarkers", "allow", "WriteTxnMarkers",
	"WriteTxnMarkers is between brokers: add from=broker"},
    {"api=WriteTxnMarkers", "deny", "WriteTxnMarkers",
	"WriteTxnMarkers is between brokers, and not denied: use reset with "
	"from=broker"},
    {"api=Produce from=broker", "reset", "Produce",
	"brokers send each other no Produce: leave from=broker out"},
    {"api=Fetch from=broker", "deny", "from",
	"what brokers ask each other is not denied: use reset"},
    {"api=Fetch from=any", "deny", "from",
	"what brokers ask each other is not denied: use reset"},
    {"api=AddPartitionsToTxn version=4", "deny", "version",
	"AddPartitionsToTxn from such a sender has versions 0 to 3"},
    {"api=AddPartitionsToTxn from=broker version=0-3", "observe", "version",
	"AddPartitionsToTxn from such a sender has versions 4 to 5"},
    {"api=EndTxn", "deny", "EndTxn",
	"EndTxn is not denied: that leaves the transaction hanging; deny "
	"InitProducerId with a transactional_id instead"},
    {"api=AddOffsetsToTxn", "deny", "AddOffsetsToTxn",
	"AddOffsetsToTxn is not denied: it commits none yet; deny "
	"TxnOffsetCommit instead"},
    {"api=LeaveGroup", "deny", "LeaveGroup",
	"LeaveGroup is not denied: that leaves the member in its group until "
	"its session times out; deny JoinGroup instead"},
    {"api=SyncGroup", "deny", "SyncGroup",
	"SyncGroup is not denied: that leaves the group without an assignment; "
	"deny JoinGroup instead"},
    {"api=DeleteGroups", "deny", "DeleteGroups",
	"DeleteGroups is not denied: nothing in it can be refused; use reset "
	"(an AdminClient tries again until its timeout)"},
    {"api=CreateAcls", "deny", "CreateAcls",
	"CreateAcls is not denied: nothing in it can be refused; use reset (an "
	"AdminClient tries again until its timeout)"},
    {"api=FindCoordinator", "deny", "FindCoordinator",
	"FindCoordinator is not denied: nothing in it can be refused; use "
	"reset (an AdminClient tries again until its timeout)"},
    {"api=InitProducerId", "deny", "InitProducerId",
	"InitProducerId is denied only where it has a transactional id: add "
	"transactional_id=*, or use reset"},
    {"api=ConsumerGroupHeartbeat group=g topic=x", "deny", "topic",
	"a ConsumerGroupHeartbeat is denied by its group, before its topics "
	"are known: a rule for Fetch denies them"},
    {"api=ShareGroupHeartbeat topic=x", "deny", "topic",
	"a ShareGroupHeartbeat is denied by its group, before its topics are "
	"known: a rule for ShareFetch denies them"},
    {"api=OffsetCommit version=0", "deny", "version",
	"OffsetCommit is denied in versions 1 to 10 only"},
    {"group=x acks=0", "allow", "acks", "no request has a group and acks"},
    {"topic=x group=y transactional_id=z acks=1", "allow", "acks",
	"no request has a group and acks"},
    {"api=CreateAcls topic=x", "allow", "topic",
	"no CreateAcls has a topic: those that have are Produce, Fetch, "
	"ListOffsets, Metadata, OffsetCommit, OffsetFetch, CreateTopics, "
	"DeleteTopics, DeleteRecords, OffsetForLeaderEpoch, "
	"AddPartitionsToTxn, ..."},
    {"topic=x", "route broker=1", "topic",
	"route is of whole connections, and topic of requests"},
    {"broker=2", "route broker=1", "broker",
	"route is of connections to the bootstrap endpoint, for which no "
	"broker is chosen yet: leave broker out"},
    {"topic=x", "priority=1", "topic",
	"priority is of whole connections, and topic of requests"},
    {"api=Fetch client_id=x", "allow dscp=4", "api",
	"dscp is of whole connections, and api of requests"},
    {"group=x", "no_create", "group", "no Metadata has a group"},
    {"api=Fetch", "no_create", "Fetch",
	"no_create is of Metadata, and not of Fetch"},
    {"api=Metadata version=0-3", "no_create", "version",
	"Metadata says in versions 4 to 13 only whether topics are created"},
    {"version=0-3", "no_create", "version",
	"there is no Metadata of such versions and senders"},
    {"acks=all", "no_create", "acks", "no Metadata has acks"},
    {"version=15-18 acks=0", "allow", "acks",
	"no request of such a version has acks"},
    {"version=4-5 from=broker acks=0", "allow", "acks",
	"no request of such a version has acks"},
    {"from=broker", "deny", "from",
	"what brokers ask each other is not denied: use reset"},
    {"version=17 group=x", "allow", "group",
	"no request of such a version has a group"},
    {"cluster=a listener=a/x,b/y", "allow", "b/y",
	"b/y is of none of the clusters that are named"},
    {"cluster=ab listener=a/x", "allow", "a/x",
	"a/x is of none of the clusters that are named"},
};

START_TEST(what_does_not_go_together_is_refused)
{
	char text[LP_RULE_MATCH_SIZE], underlined[LP_RULE_MATCH_SIZE] = "";

	ck_assert_int_eq(check(bad[_i].match, bad[_i].action), -EINVAL);
	ck_assert_str_eq(error.why, bad[_i].why);
	lp_rule_match_print(text, &match);
	if (error.column > 0)
		memcpy(underlined, text + error.column - 1, error.len);
	ck_assert_str_eq(underlined, bad[_i].underlined);
}
END_TEST

START_TEST(of_each_api_it_is_known_whether_it_is_denied)
{
	unsigned denied = 0;

	for (int api = -1; api <= lp_apis_table_count; api++) {
		const struct lp_apis_entry *entry = lp_apis_get(api);
		uint32_t versions = lp_rule_deny_versions(api);

		ck_assert(!versions == !!lp_rule_deny_fault(api));
		if (!versions)
			continue;
		denied++;
		ck_assert(entry->client);
		ck_assert_uint_eq(versions & ~lp_apis_versions(entry), 0);
		/* What is denied by topics has topics. */
		if (lp_rule_deny_is_by_part(api))
			ck_assert_uint_eq(
			    versions & ~lp_apis_topic_versions(entry), 0);
	}
	ck_assert_uint_eq(denied, 29);
	ck_assert_uint_eq(lp_rule_deny_versions(24), 0xf);
	ck_assert_uint_eq(lp_rule_deny_versions(8), 0x7fe);
	ck_assert_uint_eq(lp_rule_deny_versions(9), 0x7fe);
	ck_assert_ptr_nonnull(lp_rule_deny_fault(INT64_MAX));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rule_check");
	TCase *tcase = tcase_create("rule_check");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, what_goes_together_passes, 0,
	    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tcase, what_does_not_go_together_is_refused, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, of_each_api_it_is_known_whether_it_is_denied);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
