/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/alone.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* What is written is ahead by a tenth of the limit, or that. */
	AHEAD_SHARE = 10,
	AHEAD_MAX_MS = 60000,
};

static void close_if_due(
    struct lp_alone *alone, uint64_t now_ms, uint64_t real_ns);
static uint64_t ahead_ms(const struct lp_alone *alone);

void
lp_alone_init(struct lp_alone *alone, uint32_t limit_s,
    const struct lp_alone_file *file, uint64_t now_ms, uint64_t real_ns)
{
	*alone = (struct lp_alone){
	    .limit_ms = (uint64_t)limit_s * 1000,
	    .alone = true,
	    .since_ms = now_ms,
	    .since_real_ns = real_ns,
	};
	if (!file)
		return;
	alone->before_ms = file->passed_ms;
	alone->since_real_ns = file->since_real_ns;
	close_if_due(alone, now_ms,
	    file->closed_real_ns != 0 ? file->closed_real_ns : real_ns);
}

bool
lp_alone_turn(
    struct lp_alone *alone, bool somebody, uint64_t now_ms, uint64_t real_ns)
{
	bool was = alone->closed;

	if (somebody) {
		alone->alone = false;
		alone->closed = false;
		alone->closed_real_ns = 0;
	} else if (!alone->alone) {
		alone->alone = true;
		alone->since_ms = now_ms;
		alone->before_ms = 0;
		alone->written_ms = 0;
		alone->since_real_ns = real_ns;
	} else {
		close_if_due(alone, now_ms, real_ns);
	}
	return alone->closed != was;
}

uint64_t
lp_alone_passed_ms(const struct lp_alone *alone, uint64_t now_ms)
{
	uint64_t here_ms = now_ms - alone->since_ms;

	if (!alone->alone)
		return 0;
	return here_ms > UINT64_MAX - alone->before_ms
	    ? UINT64_MAX
	    : alone->before_ms + here_ms;
}

bool
lp_alone_is_due(
    const struct lp_alone *alone, uint64_t now_ms, struct lp_alone_file *file)
{
	uint64_t passed_ms = lp_alone_passed_ms(alone, now_ms);

	if (!alone->alone || passed_ms < alone->written_ms)
		return false;
	*file = (struct lp_alone_file){
	    .passed_ms = passed_ms,
	    .since_real_ns = alone->since_real_ns,
	    .closed_real_ns = alone->closed_real_ns,
	};
	if (alone->limit_ms != 0 && !alone->closed)
		file->passed_ms += ahead_ms(alone);
	return true;
}

void
lp_alone_written(struct lp_alone *alone, const struct lp_alone_file *file)
{
	/* Without a limit, or beyond it, nothing more is to be told. */
	alone->written_ms = alone->limit_ms == 0 || alone->closed
	    ? UINT64_MAX
	    : file->passed_ms;
}

const char *
lp_alone_mode(char text[LP_ALONE_TEXT_SIZE], uint32_t limit_s)
{
	if (limit_s == 0)
		strcpy(text, "hold");
	else
		snprintf(text, LP_ALONE_TEXT_SIZE,
		    "hold for %" PRIu32 " s, then closed", limit_s);
	return text;
}

bool
lp_alone_parse(uint32_t *limit_s, const char *text)
{
	static const char prefix[] = "closed:";
	static const struct {
		const char *unit;
		uint32_t seconds;
	} units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	unsigned long long value;
	char *end;

	if (strcmp(text, "hold") == 0) {
		*limit_s = 0;
		return true;
	}
	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
		return false;
	text += sizeof(prefix) - 1;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || errno != 0 ||
	    value > LP_ALONE_LIMIT_MAX_S)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		value *= units[i].seconds;
		*limit_s = (uint32_t)value;
		return value >= LP_ALONE_LIMIT_MIN_S &&
		    value <= LP_ALONE_LIMIT_MAX_S;
	}
	return false;
}

static void
close_if_due(struct lp_alone *alone, uint64_t now_ms, uint64_t real_ns)
{
	assert(alone->alone);
	if (alone->closed || alone->limit_ms == 0 ||
	    lp_alone_passed_ms(alone, now_ms) < alone->limit_ms)
		return;
	alone->closed = true;
	alone->closed_real_ns = real_ns;
	alone->written_ms = 0;
}

static uint64_t
ahead_ms(const struct lp_alone *alone)
{
	uint64_t ms = alone->limit_ms / AHEAD_SHARE;

	return ms < AHEAD_MAX_MS ? ms : AHEAD_MAX_MS;
}
