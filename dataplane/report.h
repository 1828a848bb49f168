/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to StatsRequest, ConnectionsRequest, KafkaStatsRequest,
 * RuleStatsRequest and DenialsRequest: read from shared memory, from the open
 * ports and from the log of denials, never by asking the worker.
 */
#ifndef LP_DATAPLANE_REPORT_H
#define LP_DATAPLANE_REPORT_H

#include <event2/buffer.h>

#include "dataplane/dataplane.h"
#include "dataplane/kafka/talkers.h"

enum {
	/* Of packed rows; the rest of a frame is for what is around them. */
	LP_REPORT_ROWS_BYTES = LP_FRAME_SIZE_MAX - 512,
	/* Tag and length; the names that lp-controld may know and we do not. */
	LP_REPORT_ROW_OVERHEAD = 6 + 2 * (LP_NAME_SIZE + 2) + 11,
};

/* Of so many bytes from the wire, each of which may become "\xNN". */
#define LP_REPORT_TEXT_SIZE(len) (4 * (len) + 1)

/*
 * What is no UTF-8, or would move a cursor, is "\xNN".  Returns text, of
 * LP_REPORT_TEXT_SIZE(len).
 */
char *lp_report_text(char *text, const uint8_t *bytes, size_t len);

/* All frames of the answer.  0, -ENOMEM, -EMSGSIZE. */
int lp_report_stats(struct evbuffer *out, const struct lp_dataplane *dataplane,
    uint64_t cookie);

/* Of an answer that is sent frame by frame. */
enum lp_report_list {
	LP_REPORT_CONNECTIONS = 0,
	LP_REPORT_KAFKA_APIS,
	LP_REPORT_KAFKA_TOPICS,
	LP_REPORT_KAFKA_CLIENTS,
	LP_REPORT_LISTS, /* of Kafka none is left */
	LP_REPORT_RULES,
	LP_REPORT_DENIALS,
};

/* Where such an answer stands. */
struct lp_report_cursor {
	uint64_t cookie;
	/* Index of the next row to look at; rules: the id of the last one. */
	uint32_t next;
	/* Connections or rules that may still be sent; denials: as asked. */
	uint32_t left;
	uint8_t list; /* enum lp_report_list */
	uint8_t wanted; /* Kafka: bits of lists */
	bool begun; /* Kafka: the counters were sent; else: there is a last */
	bool all; /* rules: those that have not matched, too */
	uint16_t priority; /* rules: of the last one */
	uint32_t id_count; /* rules, denials: only of these; 0: all */
	uint32_t ids[LP_RULES_ASKED_MAX];
	/* Denials: of which log the last one was looked at, and its number. */
	uint64_t log;
	uint64_t last;
	uint64_t lost;
};

/*
 * Of a ConnectionsRequest, KafkaStatsRequest, RuleStatsRequest or
 * DenialsRequest; then its answer, frame by frame.
 */
void lp_report_begin(
    struct lp_report_cursor *cursor, const Lp__Pb__DataplaneMessage *question);
int lp_report_next(struct evbuffer *out, const struct lp_dataplane *dataplane,
    struct lp_report_cursor *cursor, bool *more);

void lp_report_connections_begin(
    struct lp_report_cursor *cursor, uint64_t cookie, uint32_t limit);

/*
 * One more frame of the answer; *more is false if it was the last one.  0,
 * -ENOMEM, -EMSGSIZE.
 */
int lp_report_connections(struct evbuffer *out,
    const struct lp_dataplane *dataplane, struct lp_report_cursor *cursor,
    bool *more);

void lp_report_kafka_begin(
    struct lp_report_cursor *cursor, const Lp__Pb__KafkaStatsRequest *request);

/* One more frame, as above.  What changes meanwhile may be in two of them. */
int lp_report_kafka(struct evbuffer *out, const struct lp_dataplane *dataplane,
    struct lp_report_cursor *cursor, bool *more);

/* Ids beyond LP_RULES_ASKED_MAX are not looked at. */
void lp_report_rules_begin(
    struct lp_report_cursor *cursor, const Lp__Pb__RuleStatsRequest *request);

/* One more frame, as above. */
int lp_report_rules(struct evbuffer *out, const struct lp_dataplane *dataplane,
    struct lp_report_cursor *cursor, bool *more);

/* Ids beyond LP_RULES_ASKED_MAX are not looked at. */
void lp_report_denials_begin(
    struct lp_report_cursor *cursor, const Lp__Pb__DenialsRequest *request);

/* One more frame, as above. */
int lp_report_denials(struct evbuffer *out,
    const struct lp_dataplane *dataplane, struct lp_report_cursor *cursor,
    bool *more);

/*
 * A whole copy of a connection while the worker changes it; false: its place
 * is free, or it does not hold still.
 */
bool lp_report_connections_copy(
    const struct lp_region *region, uint32_t index, struct lp_conn *out);

/* A row of an answer with all that its message refers to. */
struct lp_report_row {
	Lp__Pb__Connection message;
	Lp__Pb__Endpoint messages[4];
	struct lp_endpoint endpoints[4];
	char client_id[LP_REPORT_TEXT_SIZE(LP_TALKER_NAME_MAX)];
	/* Principal or server name. */
	char name[LP_REPORT_TEXT_SIZE(LP_KAFKA_NAME_MAX)];
};

/* Names are borrowed from the configuration. */
void lp_report_connections_fill(struct lp_report_row *row,
    const struct lp_conn *conn, const struct lp_config *config);

#endif
