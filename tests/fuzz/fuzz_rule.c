/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of rules: the match, a NUL, the action.
 *
 * What is refused is refused with a place in the text, and a reason that can be
 * printed.  What is taken is the same after it was printed and read again; it
 * covers itself, and is judged without a fault of ours.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/rule.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_MAX = 1 << 16 };

static void
check_error(const struct lp_rule_error *error, size_t len)
{
	assert(error->column >= 1 && error->len >= 1);
	/* One byte is underlined behind the end: there something is missing. */
	assert(error->column + error->len - 1 <= len + 1);
	assert(strnlen(error->why, LP_WHY_SIZE) < LP_WHY_SIZE);
	assert(error->why[0] != '\0');
	for (const char *c = error->why; *c != '\0'; c++)
		assert((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static bool
try_match(struct lp_rule_match *match, const char *text)
{
	char canonical[LP_RULE_MATCH_SIZE], twice[LP_RULE_MATCH_SIZE];
	struct lp_rule_match again;
	struct lp_rule_error error;

	if (lp_rule_match_parse(match, text, &error) != 0) {
		check_error(&error, strlen(text));
		return false;
	}
	lp_rule_match_print(canonical, match);
	assert(lp_rule_match_parse(&again, canonical, &error) == 0);
	assert(memcmp(&again, match, sizeof(again)) == 0);
	assert(strcmp(lp_rule_match_print(twice, &again), canonical) == 0);
	assert(lp_rule_covers(match, &again));
	return true;
}

static bool
try_action(struct lp_rule_action *action, const char *text)
{
	char canonical[LP_RULE_ACTION_SIZE], twice[LP_RULE_ACTION_SIZE];
	struct lp_rule_action again;
	struct lp_rule_error error;

	if (lp_rule_action_parse(action, text, &error) != 0) {
		check_error(&error, strlen(text));
		return false;
	}
	lp_rule_action_print(canonical, action);
	assert(lp_rule_action_parse(&again, canonical, &error) == 0);
	assert(memcmp(&again, action, sizeof(again)) == 0);
	assert(strcmp(lp_rule_action_print(twice, &again), canonical) == 0);
	return true;
}

static void
judge(const struct lp_rule_match *match, const struct lp_rule_action *action)
{
	char canonical[LP_RULE_MATCH_SIZE];
	struct lp_rule_error error;
	int rc = lp_rule_check(match, action, &error);

	assert(rc == 0 || rc == -EINVAL);
	assert(strnlen(error.why, LP_WHY_SIZE) < LP_WHY_SIZE);
	if (rc == 0) {
		assert(error.column == 0);
		return;
	}
	if (error.column > 0)
		check_error(
		    &error, strlen(lp_rule_match_print(canonical, match)));
	assert(error.why[0] != '\0');
}

/* The first text, in memory of just its size: beyond it is a fault. */
static const char *
take(const uint8_t **data, size_t *size)
{
	size_t len = strnlen((const char *)*data, *size);
	char *text = malloc(len + 1);

	assert(text);
	memcpy(text, *data, len);
	text[len] = '\0';
	*data += len < *size ? len + 1 : len;
	*size -= len < *size ? len + 1 : len;
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* What was there before does not matter. */
	struct lp_rule_match match;
	struct lp_rule_action action;
	const char *text;
	bool both;

	if (size > TEXT_MAX)
		return 0;
	memset(&match, 0x5a, sizeof(match));
	memset(&action, 0x5a, sizeof(action));
	text = take(&data, &size);
	both = try_match(&match, text);
	free((void *)text);
	text = take(&data, &size);
	both = try_action(&action, text) && both;
	free((void *)text);
	if (both)
		judge(&match, &action);
	return 0;
}

static const struct {
	const char *match, *action;
} seeds[] = {
    {"api=Produce,Fetch topic=pay* client_id=\"batch 7\"", "deny"},
    {"cluster=payments listener=payments/public broker=1-3,7-",
	"allow priority=7 dscp=46 mirror=tap"},
    {"src=10.0.0.0/8,2001:db8::/32,::/0,10.0.0.1 dst=1.2.3.4 "
     "src_port=1024-,-80 dst_port=9092",
	"limit requests=100/s bytes=50MB/s burst=1MB"},
    {"from=any version=0-3,12- acks=0,all frame_size=1MB-2GB",
	"limit bytes=1kB/s max_throttle=1500ms per=principal"},
    {"principal=\"a\\\"b\\\\\"*,\xc3\xa9,* group=g,\"\" "
     "transactional_id=*",
	"observe"},
    {"api=ConsumerGroupHeartbeat,9 topic=*", "no_create"},
    {"port=eth0", "route broker=3"},
    {"listener=lab/public src=10.0.0.0/8", "route priority=0 mirror=tap"},
    {"api=ShareFetch principal=*",
	"limit requests=1000000/s burst=2GB per=client_id max_throttle=60s"},
    {"api=Fetch topic=a", "limit bytes=1B/s"},
    {"", "limit bytes=0B/s burst=1B requests=0/s max_throttle=61s"},
    {"", "limit per=topic bytes=18446744073709551616B/s"},
    {"api=Heartbeat", "limit requests=1/s requests=2/s"},
    {"", "allow priority=8 dscp=64 mirror="},
    {"topik=a api=Fecth from=brokr", "limit reqests=1/s"},
};

size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	size_t len;

	if (index >= sizeof(seeds) / sizeof(seeds[0]))
		return 0;
	len = strlen(seeds[index].match) + 1;
	assert(len + strlen(seeds[index].action) <= max);
	memcpy(data, seeds[index].match, len);
	memcpy(data + len, seeds[index].action, strlen(seeds[index].action));
	return len + strlen(seeds[index].action);
}
