/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/topic_share.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/kafka/topic_feed.h"
#include "dataplane/kafka_read.h"
#include "dataplane/reply.h"

/* Places that are looked at for one frame. */
enum { LOOKS = 16384 };

struct frame {
	Lp__Pb__TopicIdsLearnt learnt;
	Lp__Pb__TopicId *list[LP_ROWS_MAX];
	struct lp_topic_id_pair pairs[LP_ROWS_MAX];
	struct lp_topic_id_message holders[LP_ROWS_MAX];
};

static bool begin(
    struct lp_topic_share *share, const struct lp_kafka_stats *stats);
static bool fill(struct lp_topic_share *share, struct frame *frame,
    const struct lp_kafka_stats *stats);
static void add(struct frame *frame, const struct lp_topic_id_value *value);
static int send_taken(struct evbuffer *out);

int
lp_topic_share_report(struct lp_topic_share *share,
    const struct lp_dataplane *dataplane, struct evbuffer *out)
{
	const struct lp_kafka_stats *stats = dataplane->region.kafka_stats;
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	struct frame frame;

	if (!share->passing && !begin(share, stats))
		return 0;
	lp__pb__topic_ids_learnt__init(&frame.learnt);
	frame.learnt.topics = frame.list;
	frame.learnt.has_more = true;
	frame.learnt.more = fill(share, &frame, stats);
	frame.learnt.has_unknown = true;
	frame.learnt.unknown = share->unknown;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_TOPIC_IDS_LEARNT;
	message.topic_ids_learnt = &frame.learnt;
	return lp_reply_send(out, &message);
}

bool
lp_topic_share_reports(const struct lp_topic_share *share)
{
	return share->passing;
}

int
lp_topic_share_take(struct lp_topic_share *share,
    const Lp__Pb__TopicIdsKnown *known, char why[LP_WHY_SIZE])
{
	if (share->owed) {
		snprintf(why, LP_WHY_SIZE,
		    "topic ids before the last ones were answered");
		return -EPROTO;
	}
	if (known->n_topics > LP_ROWS_MAX) {
		snprintf(why, LP_WHY_SIZE, "%zu topic ids at once, not %d",
		    known->n_topics, LP_ROWS_MAX);
		return -EPROTO;
	}
	for (size_t i = 0; i < known->n_topics; i++) {
		if (!lp_topic_id_from_message(
			&share->told[i], known->topics[i])) {
			snprintf(why, LP_WHY_SIZE,
			    "topic id %zu of %zu is that of no topic", i + 1,
			    known->n_topics);
			return -EPROTO;
		}
	}
	share->owed = true;
	share->told_count = (unsigned)known->n_topics;
	share->told_done = 0;
	return 0;
}

int
lp_topic_share_feed(struct lp_topic_share *share,
    const struct lp_dataplane *dataplane, struct evbuffer *out)
{
	struct lp_topic_feed *feed;
	unsigned done = share->told_done;

	if (!share->owed || dataplane->worker == NULL)
		return 0;
	feed = lp_pipeline_topic_feed(lp_worker_pipeline(dataplane->worker));
	while (share->told_done < share->told_count) {
		const struct lp_topic_id_pair *pair =
		    &share->told[share->told_done];
		struct lp_topic_id_value value = {
		    .cluster_id = pair->cluster_id, .name_len = pair->len};

		memcpy(value.uuid, pair->uuid, sizeof(value.uuid));
		memcpy(value.name, pair->name, pair->len);
		if (!lp_topic_feed_put(feed, &value))
			break;
		share->told_done++;
	}
	if (share->told_done != done)
		lp_worker_wake(dataplane->worker);
	if (share->told_done < share->told_count)
		return 0;
	share->owed = false;
	return send_taken(out);
}

/* A pass over the table, if something is new. */
static bool
begin(struct lp_topic_share *share, const struct lp_kafka_stats *stats)
{
	uint64_t youngest = atomic_load_explicit(
	    &stats->topic_ids_serial, memory_order_acquire);
	uint64_t unknown = lp_count_get(&stats->counters.topic_ids_unknown);

	if (share->begun && share->since == youngest &&
	    share->unknown == unknown)
		return false;
	share->unknown = unknown;
	share->until = youngest;
	share->next = 0;
	share->passing = true;
	return true;
}

/* False: the pass is over. */
static bool
fill(struct lp_topic_share *share, struct frame *frame,
    const struct lp_kafka_stats *stats)
{
	uint32_t used = (uint32_t)atomic_load_explicit(
	    &stats->topic_ids_used, memory_order_acquire);
	struct lp_topic_id_value value;

	/* Nothing is young: not even one look. */
	if (share->begun && share->since == share->until)
		share->next = used;
	for (unsigned i = 0; i < LOOKS && share->next < used &&
	     frame->learnt.n_topics < LP_ROWS_MAX;
	     i++)
		if (lp_kafka_read_topic_id(
			stats, share->next++, share->since, &value) &&
		    (!share->begun || !value.told))
			add(frame, &value);
	if (share->next < used)
		return true;
	share->since = share->until;
	share->begun = true;
	share->passing = false;
	return false;
}

static void
add(struct frame *frame, const struct lp_topic_id_value *value)
{
	size_t at = frame->learnt.n_topics;
	struct lp_topic_id_pair *pair = &frame->pairs[at];

	/* It came from the wire. */
	if (value->cluster_id == 0 ||
	    !lp_topic_id_is_name(value->name, value->name_len))
		return;
	pair->cluster_id = value->cluster_id;
	memcpy(pair->uuid, value->uuid, sizeof(pair->uuid));
	pair->len = (uint8_t)value->name_len;
	memcpy(pair->name, value->name, value->name_len);
	frame->list[at] = lp_topic_id_to_message(&frame->holders[at], pair);
	frame->learnt.n_topics++;
}

static int
send_taken(struct evbuffer *out)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__TopicIdsTaken taken = LP__PB__TOPIC_IDS_TAKEN__INIT;

	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_TOPIC_IDS_TAKEN;
	message.topic_ids_taken = &taken;
	return lp_reply_send(out, &message);
}
