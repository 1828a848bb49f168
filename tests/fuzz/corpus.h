/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of frames for a plane of plane_config(), and the time between
 * them: packets of connections, and what goes with them, as they are or with
 * other fields; mutated bytes; and noise.  The same for the same seed, as long
 * as the plane behaves the same.
 */
#ifndef LP_TESTS_FUZZ_CORPUS_H
#define LP_TESTS_FUZZ_CORPUS_H

#include "tests/support/packet.h"

struct corpus_frame {
	uint8_t slot; /* of the port that it comes in by */
	uint64_t wait_ns; /* before it */
	struct packet packet;
};

void corpus_next(uint64_t *random, struct corpus_frame *frame);

#endif
