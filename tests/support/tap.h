/* SPDX-License-Identifier: Apache-2.0 */
/* A port of a plane that copies leave by: rules say mirror=tap. */
#ifndef LP_TESTS_SUPPORT_TAP_H
#define LP_TESTS_SUPPORT_TAP_H

#include "dataplane/port/port.h"
#include "tests/support/packet.h"

enum { TAP_SLOT = 5, TAP = 90, TAP_FRAMES = 256 };

struct tap {
	struct lp_port port;
	struct packet frames[TAP_FRAMES]; /* of TCP, not looked at yet */
	unsigned head, tail;
	unsigned room; /* frames that it takes at once */
	bool is_full; /* it says so, where it is asked; and takes them */
};
extern struct tap tap;

/* Into the plane; the next snapshot has it. */
void tap_open(void);

/* The next frame becomes plane.frame and plane.text; false: there is none. */
bool tap_take(void);
/* It matches, as of plane_expect(). */
void tap_expect(const char *text);

#endif
