/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port of a plane, of whatever back end, that takes only as many packets as
 * the test says: as one whose device is slower than what is to leave by it.
 */
#ifndef LP_TESTS_SUPPORT_NARROW_H
#define LP_TESTS_SUPPORT_NARROW_H

#include "dataplane/port/port.h"

/* Of the port that is open in that slot; the next snapshot has it. */
void narrow_open(uint8_t slot);

/* How often it was asked for its room, which is as many as it is asked for. */
unsigned narrow_asked(uint8_t slot);

/* So many more, and then none; at the beginning none. */
void narrow_let(uint8_t slot, unsigned count);

/* From now on as many as it takes of itself. */
void narrow_let_all(uint8_t slot);

#endif
