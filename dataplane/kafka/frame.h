/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames in a stream: finds their borders, shows each to the walker and tells
 * request.c and response.c what it says.  Internal to the Kafka stage.
 */
#ifndef LP_KAFKA_FRAME_H
#define LP_KAFKA_FRAME_H

#include "dataplane/kafka/kafka.h"

enum { LP_FRAME_SIZE_FIELD = 4 };

/* What a head says of its body. */
struct lp_head {
	bool walk; /* else it is passed over */
	/*
	 * The tables do not know it.  It is walked as something that it begins
	 * like, and leaves that sooner or later.
	 */
	bool foreign;
	int16_t key;
	int16_t version;
};

/*
 * The next bytes of one direction, all of which are looked at.  Returns how
 * many bytes behind them nobody wants.  The stream may have been lost or
 * given up when it returns: look at conn->mode.
 */
uint64_t lp_frame_feed(struct lp_kafka_at *at, enum lp_direction dir,
    const uint8_t *bytes, uint32_t len);

/* The skipped tail of the frame at hand has passed: the frame is over. */
void lp_frame_finish(struct lp_kafka_at *at, enum lp_direction dir);

/* Gives back the place of the frame at hand, and the rest of what it has. */
void lp_frame_drop(struct lp_kafka_at *at, enum lp_direction dir);

/* The borders of frames are not known any more, for that reason. */
void lp_kafka_lose(struct lp_kafka_at *at, lp_counter *why);

/* What passes is not for us to read, for ever. */
void lp_kafka_give_up(struct lp_kafka_at *at, lp_counter *why);

/* The same, where nothing is to be counted. */
void lp_kafka_ignore(struct lp_kafka_at *at);

#endif
