/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/sight.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/kafka_read.h"
#include "dataplane/reply.h"

struct row {
	Lp__Pb__BrokerSeen broker;
	Lp__Pb__BrokersListed list;
	char host[LP_SIGHTING_HOST_MAX + 1];
	char rack[LP_SIGHTING_RACK_MAX + 1];
};

struct frame {
	Lp__Pb__BrokersSeen seen;
	size_t count; /* of rows */
	struct row rows[LP_ROWS_MAX];
	Lp__Pb__BrokerSeen *brokers[LP_ROWS_MAX];
	Lp__Pb__BrokersListed *lists[LP_ROWS_MAX];
	uint32_t tls[LP_ROWS_MAX];
};

static bool begin(struct lp_sight *sight, const struct lp_kafka_stats *stats,
    uint64_t now_ms);
static void fill(struct lp_sight *sight, const struct lp_kafka_stats *stats,
    uint64_t now_ms, struct frame *frame);
static void add(struct frame *frame, const struct lp_sighting_value *value,
    uint64_t age_ms);
static void add_broker(struct frame *frame,
    const struct lp_sighting_value *value, uint64_t age_ms);
static bool copy_text(char *out, const uint8_t *text, size_t len);

int
lp_sight_report(struct lp_sight *sight, const struct lp_dataplane *dataplane,
    uint64_t now_ms, struct evbuffer *out)
{
	const struct lp_kafka_stats *stats = dataplane->region.kafka_stats;
	struct frame *frame;
	int err = 0;

	if (!sight->passing && !begin(sight, stats, now_ms))
		return 0;
	frame = malloc(sizeof(*frame));
	if (frame == NULL)
		return -ENOMEM;
	for (unsigned i = 0;
	     i < LP_SIGHT_FRAMES_MAX && sight->passing && err == 0; i++) {
		Lp__Pb__DataplaneMessage message =
		    LP__PB__DATAPLANE_MESSAGE__INIT;

		fill(sight, stats, now_ms, frame);
		message.body_case =
		    LP__PB__DATAPLANE_MESSAGE__BODY_BROKERS_SEEN;
		message.brokers_seen = &frame->seen;
		err = lp_reply_send(out, &message);
	}
	free(frame);
	return err;
}

/* A pass over the table, if there is something to tell. */
static bool
begin(
    struct lp_sight *sight, const struct lp_kafka_stats *stats, uint64_t now_ms)
{
	uint64_t youngest = atomic_load_explicit(
	    &stats->sightings_serial, memory_order_acquire);

	if (youngest == 0)
		return false;
	if (sight->begun && sight->serial == youngest &&
	    now_ms - sight->told_ms < LP_SIGHT_AGAIN_MS)
		return false;
	sight->begun = true;
	sight->passing = true;
	sight->serial = youngest;
	sight->told_ms = now_ms;
	sight->next = 0;
	return true;
}

/* One frame more; the pass may be over with it. */
static void
fill(struct lp_sight *sight, const struct lp_kafka_stats *stats,
    uint64_t now_ms, struct frame *frame)
{
	uint32_t used = (uint32_t)lp_count_get(&stats->sightings_used);
	struct lp_sighting_value value;
	uint64_t seen_ms;

	lp__pb__brokers_seen__init(&frame->seen);
	frame->seen.brokers = frame->brokers;
	frame->seen.lists = frame->lists;
	frame->seen.tls_listeners = frame->tls;
	frame->count = 0;
	while (sight->next < used && frame->count < LP_ROWS_MAX)
		if (lp_kafka_read_sighting(
			stats, sight->next++, &value, &seen_ms))
			add(frame, &value,
			    now_ms > seen_ms ? now_ms - seen_ms : 0);
	sight->passing = sight->next < used;
	frame->seen.has_more = frame->seen.more = sight->passing;
	frame->seen.has_refused = true;
	frame->seen.refused = lp_count_get(&stats->counters.sightings_full);
}

static void
add(struct frame *frame, const struct lp_sighting_value *value, uint64_t age_ms)
{
	Lp__Pb__BrokersListed *list;

	switch (value->key.kind) {
	case LP_SIGHTING_NODE:
		add_broker(frame, value, age_ms);
		break;
	case LP_SIGHTING_LIST:
		list = &frame->rows[frame->count++].list;
		lp__pb__brokers_listed__init(list);
		list->cluster_id = value->key.cluster_id;
		list->age_ms = age_ms;
		frame->lists[frame->seen.n_lists++] = list;
		break;
	case LP_SIGHTING_TLS:
		frame->count++;
		frame->tls[frame->seen.n_tls_listeners++] =
		    (uint32_t)value->key.id;
		break;
	default:
		break;
	}
}

static void
add_broker(
    struct frame *frame, const struct lp_sighting_value *value, uint64_t age_ms)
{
	struct row *row = &frame->rows[frame->count];
	Lp__Pb__BrokerSeen *broker = &row->broker;

	/* It came from the wire: what is no text is no name of a host. */
	if (value->host_len > LP_SIGHTING_HOST_MAX ||
	    !copy_text(row->host, value->host, value->host_len))
		return;
	lp__pb__broker_seen__init(broker);
	broker->cluster_id = value->key.cluster_id;
	broker->node_id = value->key.id;
	broker->host = row->host;
	broker->port = value->port;
	broker->age_ms = age_ms;
	if (value->rack_len > 0 && value->rack_len <= LP_SIGHTING_RACK_MAX &&
	    copy_text(row->rack, value->rack, value->rack_len))
		broker->rack = row->rack;
	frame->brokers[frame->seen.n_brokers++] = broker;
	frame->count++;
}

/* False: it is no text without spaces. */
static bool
copy_text(char *out, const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isascii(text[i]) || !isgraph(text[i]))
			return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return len > 0;
}
