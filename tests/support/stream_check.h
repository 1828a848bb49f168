/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be so of streams between two calls, whatever was offered.
 */
#ifndef LP_TESTS_SUPPORT_STREAM_CHECK_H
#define LP_TESTS_SUPPORT_STREAM_CHECK_H

#include "dataplane/kafka/stream.h"

/*
 * Ends the program if the stream is not sound.  All that is not free in the
 * pool is this stream's.  `between`: between two segments, not two chunks.
 */
void stream_check(const struct lp_stream *stream,
    const struct lp_held_pool *pool, bool between);

#endif
