/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the Kafka statistics of the region while the worker writes them.
 *
 * A counter is right at some moment of the reading; those of one row may be of
 * different moments.  A topic or client is of one owner: it is read again if
 * it changed hands meanwhile.
 */
#ifndef LP_DATAPLANE_KAFKA_READ_H
#define LP_DATAPLANE_KAFKA_READ_H

#include "dataplane/kafka/kafka_stats.h"

struct lp_kafka_read_row {
	bool other;
	uint32_t listener_id; /* the key: not of `other` */
	uint32_t broker_id;
	int16_t api_key;
	uint8_t origin;
	uint8_t kind;
#define X(member, text) uint64_t member;
	LP_KAFKA_ROW(X)
#undef X
	uint64_t errors[LP_KAFKA_ERRORS];
	struct lp_histogram_view latency;
	struct lp_histogram_view throttled_latency;
	struct lp_histogram_view transfer;
};

struct lp_kafka_read_talker {
	bool other;
	bool evicted;
	bool null;
	uint16_t name_len;
	uint32_t cluster_id;
	uint64_t last_ms; /* CLOCK_MONOTONIC */
	union {
		uint64_t name_words[(LP_TALKER_NAME_MAX + 1) / 8];
		uint8_t name[LP_TALKER_NAME_MAX + 1];
	};
	uint64_t counts[LP_TALKER_COUNTS];
	struct lp_histogram_view histograms[LP_TALKER_HISTOGRAMS];
};

/* Rows from 0, which is `other`. */
uint32_t lp_kafka_read_rows(const struct lp_kafka_stats *stats);
void lp_kafka_read_row(const struct lp_kafka_stats *stats, uint32_t index,
    struct lp_kafka_read_row *row);

/*
 * The topic id of that place, if it is younger than that serial; false: it is
 * not, or is being written, and will be younger than what is the youngest now.
 */
bool lp_kafka_read_topic_id(const struct lp_kafka_stats *stats, uint32_t place,
    uint64_t since, struct lp_topic_id_value *value);

/*
 * Places from LP_TALKER_OTHER; LP_TALKER_EVICTED is there once somebody is.
 * False: nobody is there.
 */
uint32_t lp_kafka_read_talkers(const struct lp_talker_list *list);
bool lp_kafka_read_talker(const struct lp_talker_list *list, uint32_t place,
    struct lp_kafka_read_talker *talker);

/* One of sightings_used places, and when; false: nothing is there. */
bool lp_kafka_read_sighting(const struct lp_kafka_stats *stats, uint32_t place,
    struct lp_sighting_value *value, uint64_t *seen_ms);

#endif
