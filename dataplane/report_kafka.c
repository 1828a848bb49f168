/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame is filled with rows until the next one would not fit, which then
 * begins the next frame.  What a frame refers to lies in one piece of memory;
 * a row that is taken back leaves its part of it to the next.
 *
 * An answer is not of one moment: a talker that is evicted between two frames
 * may be missing in one answer, since `evicted` is told first.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/clock.h"
#include "dataplane/kafka/names.h"
#include "dataplane/kafka_read.h"
#include "dataplane/reply.h"
#include "dataplane/report.h"

enum {
	HISTOGRAMS = 3, /* of any row */
	/* A bucket is two bytes at least; and two rows that do not fit. */
	BUCKETS_MAX =
	    LP_FRAME_SIZE_MAX / 2 + 2 * HISTOGRAMS * LP_HISTOGRAM_BUCKETS,
	/* A counter is more than eight. */
	COUNTERS_MAX = LP_FRAME_SIZE_MAX / 8 + LP_KAFKA_ERRORS,
	NUMBER_SIZE = 8, /* "-32768" */
	NAME_SIZE = LP_REPORT_TEXT_SIZE(LP_TALKER_NAME_MAX),
	NS_PER_MS = 1000000,
};

struct row {
	union {
		ProtobufCMessage base;
		Lp__Pb__KafkaApiStats api;
		Lp__Pb__KafkaTopicStats topic;
		Lp__Pb__KafkaClientStats client;
	};
	Lp__Pb__Histogram histograms[HISTOGRAMS];
	char text[NAME_SIZE];
};

struct frame {
	Lp__Pb__KafkaStats stats;
	const struct lp_dataplane *dataplane;
	size_t bytes; /* of counters and rows so far, packed */
	size_t row_count;
	size_t counter_count;
	size_t bucket_count;
	void *list[LP_REPORT_LISTS][LP_ROWS_MAX];
	struct row rows[LP_ROWS_MAX];
	Lp__Pb__Counter *counter_list[COUNTERS_MAX];
	Lp__Pb__Counter counters[COUNTERS_MAX];
	char numbers[COUNTERS_MAX][NUMBER_SIZE];
	uint32_t buckets[BUCKETS_MAX];
	uint64_t counts[BUCKETS_MAX];
	union {
		struct lp_kafka_read_row row;
		struct lp_kafka_read_talker talker;
	} read;
};

static bool fill(struct frame *frame, struct lp_report_cursor *cursor);
static bool fill_row(
    struct frame *frame, struct row *row, struct lp_report_cursor *cursor);
static bool keep_row(struct frame *frame, struct row *row, unsigned list);
static void fill_api(struct frame *frame, struct row *row);
static void fill_errors(struct frame *frame, Lp__Pb__KafkaApiStats *message);
static void fill_topic(struct frame *frame, struct row *row);
static void fill_client(struct frame *frame, struct row *row);
static void fill_counters(struct frame *frame);
static void add_counter(struct frame *frame, const char *name, uint64_t value);
static Lp__Pb__Histogram *add_histogram(struct frame *frame, struct row *row,
    unsigned place, const struct lp_histogram_view *view);
static void next_list(struct lp_report_cursor *cursor);
static int send_frame(struct evbuffer *out, struct frame *frame,
    const struct lp_report_cursor *cursor);

void
lp_report_kafka_begin(
    struct lp_report_cursor *cursor, const Lp__Pb__KafkaStatsRequest *request)
{
	*cursor = (struct lp_report_cursor){
	    .cookie = request->cookie,
	    .list = LP_REPORT_CONNECTIONS,
	    .wanted = (uint8_t)((request->apis != 0) << LP_REPORT_KAFKA_APIS |
		(request->topics != 0) << LP_REPORT_KAFKA_TOPICS |
		(request->clients != 0) << LP_REPORT_KAFKA_CLIENTS),
	};
	next_list(cursor);
}

int
lp_report_kafka(struct evbuffer *out, const struct lp_dataplane *dataplane,
    struct lp_report_cursor *cursor, bool *more)
{
	struct frame *frame = malloc(sizeof(*frame));
	int error;

	if (!frame)
		return -ENOMEM;
	lp__pb__kafka_stats__init(&frame->stats);
	frame->dataplane = dataplane;
	frame->bytes = 0;
	frame->row_count = frame->counter_count = frame->bucket_count = 0;
	frame->stats.has_time_ns = true;
	frame->stats.time_ns = lp_clock_real_ns();
	if (!cursor->begun)
		fill_counters(frame);
	cursor->begun = true;
	while (cursor->list != LP_REPORT_LISTS && fill(frame, cursor))
		;
	*more = cursor->list != LP_REPORT_LISTS;
	error = send_frame(out, frame, cursor);
	free(frame);
	return error;
}

/* The list after this one that is wanted. */
static void
next_list(struct lp_report_cursor *cursor)
{
	cursor->next = 0;
	do
		cursor->list++;
	while (cursor->list != LP_REPORT_LISTS &&
	    !(cursor->wanted >> cursor->list & 1));
}

/* Looks at one row; false: the frame is full. */
static bool
fill(struct frame *frame, struct lp_report_cursor *cursor)
{
	size_t counters = frame->counter_count;
	size_t buckets = frame->bucket_count;
	unsigned list = cursor->list;
	struct row *row = &frame->rows[frame->row_count];

	if (frame->row_count == LP_ROWS_MAX)
		return false;
	if (!fill_row(frame, row, cursor))
		return true;
	if (keep_row(frame, row, list))
		return true;
	frame->counter_count = counters;
	frame->bucket_count = buckets;
	cursor->list = (uint8_t)list;
	cursor->next--;
	return false;
}

/* Reads what the cursor is at and moves on; false: nothing was there. */
static bool
fill_row(struct frame *frame, struct row *row, struct lp_report_cursor *cursor)
{
	const struct lp_kafka_stats *stats =
	    frame->dataplane->region.kafka_stats;
	const struct lp_talker_list *talkers =
	    cursor->list == LP_REPORT_KAFKA_TOPICS ? &stats->topics
						   : &stats->clients;

	if (cursor->list == LP_REPORT_KAFKA_APIS) {
		if (cursor->next == lp_kafka_read_rows(stats)) {
			next_list(cursor);
			return false;
		}
		lp_kafka_read_row(stats, cursor->next++, &frame->read.row);
		/* Most never need one: then there is no `other`. */
		if (frame->read.row.other && frame->read.row.requests == 0 &&
		    frame->read.row.responses == 0)
			return false;
		fill_api(frame, row);
		return true;
	}
	if (cursor->next == lp_kafka_read_talkers(talkers)) {
		next_list(cursor);
		return false;
	}
	if (!lp_kafka_read_talker(talkers, cursor->next++, &frame->read.talker))
		return false;
	if (cursor->list == LP_REPORT_KAFKA_TOPICS)
		fill_topic(frame, row);
	else
		fill_client(frame, row);
	return true;
}

/*
 * Adds the row to its list if it fits.  One that fits in no frame, with
 * counts that no traffic comes to, goes without histograms.
 */
static bool
keep_row(struct frame *frame, struct row *row, unsigned list)
{
	size_t bytes = protobuf_c_message_get_packed_size(&row->base);
	size_t *count = list == LP_REPORT_KAFKA_APIS ? &frame->stats.n_apis
	    : list == LP_REPORT_KAFKA_TOPICS         ? &frame->stats.n_topics
						     : &frame->stats.n_clients;

	if (frame->bytes + bytes + LP_REPORT_ROW_OVERHEAD >
	    LP_REPORT_ROWS_BYTES) {
		if (frame->bytes > 0)
			return false;
		for (unsigned i = 0; i < HISTOGRAMS; i++)
			row->histograms[i].n_buckets =
			    row->histograms[i].n_counts = 0;
		bytes = protobuf_c_message_get_packed_size(&row->base);
	}
	frame->list[list][(*count)++] = row;
	frame->bytes += bytes + LP_REPORT_ROW_OVERHEAD;
	frame->row_count++;
	return true;
}

static void
fill_api(struct frame *frame, struct row *row)
{
	static const char *const origins[] = {"client", "broker"};
	static const char *const kinds[LP_KAFKA_KINDS] = {
	    NULL, "acks=0", "acks=1", "acks=all", "data", "max_wait"};
	const struct lp_kafka_read_row *read = &frame->read.row;
	const struct lp_config *config = &frame->dataplane->running.config;
	Lp__Pb__KafkaApiStats *message = &row->api;

	lp__pb__kafka_api_stats__init(message);
	message->has_other = read->other;
	message->other = read->other;
	if (!read->other) {
		const struct lp_object *listener = lp_config_find(
		    config, LP_OBJECT_LISTENER, read->listener_id);
		const struct lp_object *broker =
		    lp_config_find(config, LP_OBJECT_BROKER, read->broker_id);
		const struct lp_object *cluster = listener
		    ? lp_config_find(config, LP_OBJECT_CLUSTER,
			  listener->listener.cluster_id)
		    : NULL;
		const char *name = read->api_key == LP_KAFKA_API_UNKNOWN
		    ? "unknown"
		    : lp_kafka_api_name(read->api_key);

		message->has_listener_id = message->has_broker_id = true;
		message->listener_id = read->listener_id;
		message->broker_id = read->broker_id;
		message->listener =
		    listener ? (char *)listener->listener.name : NULL;
		message->cluster =
		    cluster ? (char *)cluster->cluster.name : NULL;
		message->has_node_id = broker != NULL;
		message->node_id = broker ? broker->broker.node_id : 0;
		message->has_api_key = true;
		message->api_key = read->api_key;
		snprintf(row->text, sizeof(row->text), "%d", read->api_key);
		message->api = name ? (char *)name : row->text;
		message->origin =
		    (char *)origins[read->origin % (unsigned)LP_KAFKA_ORIGINS];
		message->kind =
		    (char *)kinds[read->kind % (unsigned)LP_KAFKA_KINDS];
	}
#define X(member, text)                                                        \
	message->has_##member = true;                                          \
	message->member = read->member;
	LP_KAFKA_ROW(X)
#undef X
	fill_errors(frame, message);
	message->latency = add_histogram(frame, row, 0, &read->latency);
	message->throttled_latency =
	    add_histogram(frame, row, 1, &read->throttled_latency);
	message->transfer = add_histogram(frame, row, 2, &read->transfer);
}

/* By name; a code without one is a number. */
static void
fill_errors(struct frame *frame, Lp__Pb__KafkaApiStats *message)
{
	size_t first = frame->counter_count;

	for (unsigned i = 0; i < LP_KAFKA_ERRORS; i++) {
		int16_t code = (int16_t)((int)i + LP_KAFKA_ERROR_MIN);
		char *number = frame->numbers[frame->counter_count];
		const char *name = NULL;

		if (frame->read.row.errors[i] == 0)
			continue;
		snprintf(number, NUMBER_SIZE, "%d", code);
		if (i == LP_KAFKA_ERROR_OTHER)
			name = "other";
		else
			name = lp_kafka_error_name(code);
		add_counter(
		    frame, name ? name : number, frame->read.row.errors[i]);
	}
	message->n_errors = frame->counter_count - first;
	message->errors = &frame->counter_list[first];
}

static void
fill_topic(struct frame *frame, struct row *row)
{
	const struct lp_kafka_read_talker *read = &frame->read.talker;
	const struct lp_object *cluster =
	    lp_config_find(&frame->dataplane->running.config, LP_OBJECT_CLUSTER,
		read->cluster_id);
	Lp__Pb__KafkaTopicStats *message = &row->topic;

	lp__pb__kafka_topic_stats__init(message);
	message->has_other = message->other = read->other || read->evicted;
	message->has_evicted = message->evicted = read->evicted;
	if (!message->other) {
		message->has_cluster_id = true;
		message->cluster_id = read->cluster_id;
		message->cluster =
		    cluster ? (char *)cluster->cluster.name : NULL;
		message->topic =
		    lp_report_text(row->text, read->name, read->name_len);
	}
#define X(member, text)                                                        \
	message->has_##member = true;                                          \
	message->member = read->counts[LP_KAFKA_TOPIC_##member];
	LP_KAFKA_TOPIC(X)
#undef X
	message->produce = add_histogram(
	    frame, row, 0, &read->histograms[LP_KAFKA_TOPIC_PRODUCE]);
	message->fetch = add_histogram(
	    frame, row, 1, &read->histograms[LP_KAFKA_TOPIC_FETCH]);
}

static void
fill_client(struct frame *frame, struct row *row)
{
	const struct lp_kafka_read_talker *read = &frame->read.talker;
	uint64_t now_ms = lp_clock_ns() / NS_PER_MS;
	Lp__Pb__KafkaClientStats *message = &row->client;

	lp__pb__kafka_client_stats__init(message);
	message->has_other = message->other = read->other || read->evicted;
	message->has_evicted = message->evicted = read->evicted;
	if (!message->other && !read->null)
		message->client_id =
		    lp_report_text(row->text, read->name, read->name_len);
	message->has_idle_ms = !message->other;
	message->idle_ms = now_ms > read->last_ms ? now_ms - read->last_ms : 0;
#define X(member, text)                                                        \
	message->has_##member = true;                                          \
	message->member = read->counts[LP_KAFKA_CLIENT_##member];
	LP_KAFKA_CLIENT(X)
#undef X
	/* Its decrements may have overtaken it, for a moment. */
	if ((int64_t)message->in_flight < 0)
		message->in_flight = 0;
	message->produce = add_histogram(
	    frame, row, 0, &read->histograms[LP_KAFKA_CLIENT_PRODUCE]);
	message->fetch = add_histogram(
	    frame, row, 1, &read->histograms[LP_KAFKA_CLIENT_FETCH]);
	message->rest = add_histogram(
	    frame, row, 2, &read->histograms[LP_KAFKA_CLIENT_REST]);
}

static void
fill_counters(struct frame *frame)
{
	const struct lp_kafka_stats *stats =
	    frame->dataplane->region.kafka_stats;

#define X(member, text)                                                        \
	add_counter(frame, #member, lp_count_get(&stats->counters.member));
	LP_KAFKA_COUNTERS(X)
#undef X
	frame->stats.n_counters = frame->counter_count;
	frame->stats.counters = frame->counter_list;
	frame->bytes += protobuf_c_message_get_packed_size(&frame->stats.base);
}

static void
add_counter(struct frame *frame, const char *name, uint64_t value)
{
	Lp__Pb__Counter *counter = &frame->counters[frame->counter_count];

	assert(frame->counter_count < COUNTERS_MAX);
	lp__pb__counter__init(counter);
	counter->name = (char *)name;
	counter->has_value = true;
	counter->value = value;
	frame->counter_list[frame->counter_count++] = counter;
}

/* NULL: nothing was measured. */
static Lp__Pb__Histogram *
add_histogram(struct frame *frame, struct row *row, unsigned place,
    const struct lp_histogram_view *view)
{
	Lp__Pb__Histogram *message = &row->histograms[place];
	size_t first = frame->bucket_count;

	lp__pb__histogram__init(message);
	if (view->count == 0)
		return NULL;
	for (uint32_t i = 0; i < LP_HISTOGRAM_BUCKETS; i++) {
		if (view->counts[i] == 0)
			continue;
		assert(frame->bucket_count < BUCKETS_MAX);
		frame->buckets[frame->bucket_count] = i;
		frame->counts[frame->bucket_count++] = view->counts[i];
	}
	message->buckets = &frame->buckets[first];
	message->counts = &frame->counts[first];
	message->n_buckets = message->n_counts = frame->bucket_count - first;
	message->has_sum_ns = message->has_max_ns = true;
	message->sum_ns = view->sum_ns;
	message->max_ns = view->max_ns;
	return message;
}

static int
send_frame(struct evbuffer *out, struct frame *frame,
    const struct lp_report_cursor *cursor)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__KafkaStatsReply reply = LP__PB__KAFKA_STATS_REPLY__INIT;

	frame->stats.apis =
	    (Lp__Pb__KafkaApiStats **)frame->list[LP_REPORT_KAFKA_APIS];
	frame->stats.topics =
	    (Lp__Pb__KafkaTopicStats **)frame->list[LP_REPORT_KAFKA_TOPICS];
	frame->stats.clients =
	    (Lp__Pb__KafkaClientStats **)frame->list[LP_REPORT_KAFKA_CLIENTS];
	reply.cookie = cursor->cookie;
	reply.stats = &frame->stats;
	reply.has_more = reply.more = cursor->list != LP_REPORT_LISTS;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_KAFKA_STATS_REPLY;
	message.kafka_stats_reply = &reply;
	return lp_reply_send(out, &message);
}
