/* SPDX-License-Identifier: Apache-2.0 */
/* The bump in the wire that the tests of inline ports have, on a plane. */
#ifndef LP_TESTS_DATAPLANE_BUMP_H
#define LP_TESTS_DATAPLANE_BUMP_H

#include "dataplane/pipeline/inline.h"
#include "tests/support/kafka_talk.h"
#include "tests/support/plane.h"

/* Clients on the left, brokers on the right; and what the frames say. */
#define C4 "tcp 10.8.0.50:40000 > 10.8.0.20:9092 "
#define B4 "tcp 10.8.0.20:9092 > 10.8.0.50:40000 "
#define C6 "tcp [2001:db8:8::50]:40000 > [2001:db8:8::21]:9092 "
#define B6 "tcp [2001:db8:8::21]:9092 > [2001:db8:8::50]:40000 "

enum { QUOTA = CONNECTIONS / LP_HALF_OPEN_SHARE };
/* The bump beside the ports of make_config(), and what looks through it. */
enum { LEFT = 30, RIGHT, SEEN, SEEN_0, SEEN_1, SEEN_6, SEEN_6_1 };

/* The fixture's begin; its end is plane_close(). */
void bump_open(void);
/* The same with so many places. */
void bump_open_with(uint32_t connections);

/* Both ports become that, and a snapshot with it. */
void bump_on_loss(enum lp_on_loss how);

/* The very frame has left by the other port, and nothing else has. */
void left_as_it_came(uint8_t by, const struct packet *came, const char *text);

/* It comes in there, passes as it is, and counts as that. */
void passes(uint8_t in, const char *text, enum lp_reason reason);

/* C4 and B4 have shaken hands. */
void establish(void);

#endif
