/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/reasons.h"

#include <assert.h>

const char *
lp_reason_name(unsigned reason)
{
	static const char *const names[LP_REASON_COUNT] = {
#define X(symbol, name, text) [LP_REASON_##symbol] = name,
	    LP_REASONS(X)
#undef X
	};

	assert(reason < LP_REASON_COUNT);
	return names[reason];
}

const char *
lp_reason_text(unsigned reason)
{
	static const char *const texts[LP_REASON_COUNT] = {
#define X(symbol, name, text) [LP_REASON_##symbol] = text,
	    LP_REASONS(X)
#undef X
	};

	assert(reason < LP_REASON_COUNT);
	return texts[reason];
}

const char *
lp_verdict_name(unsigned verdict)
{
	static const char *const names[LP_VERDICTS] = {
	    [LP_UNDECIDED] = "undecided",
	    [LP_FORWARD] = "forwarded",
	    [LP_LOCAL] = "local",
	    [LP_HOLD] = "held",
	    [LP_DROP] = "dropped",
	};

	assert(verdict < LP_VERDICTS);
	return names[verdict];
}
