/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that a limit delays, as they are sent, and as they have to leave
 * (edited.h).
 */
#ifndef LP_TESTS_SUPPORT_LIMITED_H
#define LP_TESTS_SUPPORT_LIMITED_H

#include <stdint.h>

enum {
	LIMITED_ANSWER = 200, /* bytes of that to a Fetch */
	LIMITED_HEARTBEAT = 12, /* its key */
};

/* Whose requests they are; NULL: of nobody's. */
extern const char *limited_client;

void limited_produce(int16_t version, int16_t acks, const char *topic);
/* Versions 5 to 7: the broker tells that time, the client is to be told this.
 */
void limited_produce_answer(int32_t brokers_ms, int32_t told_ms);
void limited_fetch(int16_t version);
void limited_fetch_answer(int32_t told_ms);
void limited_heartbeat(void);

#endif
