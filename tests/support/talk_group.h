/* SPDX-License-Identifier: Apache-2.0 */
/* Of a conversation (talk.h): requests of groups and of transactions. */
#ifndef LP_TESTS_SUPPORT_TALK_GROUP_H
#define LP_TESTS_SUPPORT_TALK_GROUP_H

#include "tests/support/talk_pen.h"

/* The API and version of a message. */
void talk_group_draw(struct talk *talk, struct talk_message *message);

void talk_group_request(struct talk_pen *pen);
void talk_group_response(struct talk_pen *pen);

#endif
