/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronization: talkers are under a sequence lock whose writer is never
 * held up (kafka_stats.h).  All loads acquire, so that none moves behind the
 * second look at the lock.  What keeps changing is tried a bounded number of
 * times; it is then left out, but for `evicted`, which is shown as read.
 */
#include <string.h>

#include "dataplane/kafka_read.h"

enum { TRIES = 100 };

static bool try_talker(const struct lp_talker *talker,
    struct lp_kafka_read_talker *out, bool *there);
static bool read_evicted(
    const struct lp_talker_list *list, struct lp_kafka_read_talker *out);
static void add_counters(
    const struct lp_talker *talker, struct lp_kafka_read_talker *out);
static void add_histogram(
    const struct lp_kafka_histogram *from, struct lp_histogram_view *to);

static inline uint64_t
get(const lp_counter *counter)
{
	return atomic_load_explicit(counter, memory_order_acquire);
}

/* A gauge that its decrements have overtaken, for a moment, is zero. */
static inline uint64_t
gauge(uint64_t value)
{
	return (int64_t)value < 0 ? 0 : value;
}

uint32_t
lp_kafka_read_rows(const struct lp_kafka_stats *stats)
{
	uint64_t count = get(&stats->rows_used);

	return count == 0 ? 1 : (uint32_t)count;
}

void
lp_kafka_read_row(const struct lp_kafka_stats *stats, uint32_t index,
    struct lp_kafka_read_row *row)
{
	const struct lp_kafka_row *from = &stats->rows[index];

	memset(row, 0, sizeof(*row));
	row->other = index == 0;
	if (!row->other) {
		row->listener_id = from->listener_id;
		row->broker_id = from->broker_id;
		row->api_key = from->api_key;
		row->origin = from->origin;
		row->kind = from->kind;
	}
#define X(member, text) row->member = get(&from->member);
	LP_KAFKA_ROW(X)
#undef X
	row->in_flight = gauge(row->in_flight);
	for (unsigned i = 0; i < LP_KAFKA_ERRORS; i++)
		row->errors[i] = get(&from->errors[i]);
	add_histogram(&from->latency, &row->latency);
	add_histogram(&from->throttled_latency, &row->throttled_latency);
	add_histogram(&from->transfer, &row->transfer);
}

bool
lp_kafka_read_topic_id(const struct lp_kafka_stats *stats, uint32_t place,
    uint64_t since, struct lp_topic_id_value *value)
{
	const struct lp_topic_id *from = &stats->topic_ids[place];
	uint64_t words[LP_TOPIC_ID_WORDS];

	for (int i = 0; i < TRIES; i++) {
		uint64_t serial = get(&from->serial);

		if (serial <= since)
			return false;
		if (serial % 2 != 0)
			continue;
		for (unsigned word = 0; word < LP_TOPIC_ID_WORDS; word++)
			words[word] = get(&from->words[word]);
		if (get(&from->serial) == serial) {
			memcpy(value, words, sizeof(*value));
			return true;
		}
	}
	return false;
}

uint32_t
lp_kafka_read_talkers(const struct lp_talker_list *list)
{
	uint64_t count = get(&list->places_used);

	return count == 0 ? LP_TALKER_FIRST : (uint32_t)count;
}

bool
lp_kafka_read_talker(const struct lp_talker_list *list, uint32_t place,
    struct lp_kafka_read_talker *talker)
{
	bool there;

	if (place == LP_TALKER_EVICTED)
		return read_evicted(list, talker);
	if (place == LP_TALKER_OTHER) {
		memset(talker, 0, sizeof(*talker));
		talker->other = true;
		add_counters(&list->places[LP_TALKER_OTHER], talker);
		return true;
	}
	for (int i = 0; i < TRIES; i++)
		if (try_talker(&list->places[place], talker, &there))
			return there;
	return false;
}

/* False: it changed hands. */
bool
lp_kafka_read_sighting(const struct lp_kafka_stats *stats, uint32_t place,
    struct lp_sighting_value *value, uint64_t *seen_ms)
{
	const struct lp_sighting *from = &stats->sightings[place];
	uint64_t words[LP_SIGHTING_WORDS];

	for (int i = 0; i < TRIES; i++) {
		uint64_t serial = get(&from->serial);

		if (serial == 0)
			return false;
		*seen_ms = get(&from->seen_ms);
		for (unsigned j = 0; j < LP_SIGHTING_WORDS; j++)
			words[j] = get(&from->words[j]);
		if ((serial & 1) == 0 && get(&from->serial) == serial) {
			memcpy(value, words, sizeof(*value));
			return value->key.kind != LP_SIGHTING_NONE;
		}
	}
	return false;
}

static bool
try_talker(const struct lp_talker *talker, struct lp_kafka_read_talker *out,
    bool *there)
{
	uint32_t serial =
	    atomic_load_explicit(&talker->serial, memory_order_acquire);

	*there = atomic_load_explicit(&talker->state, memory_order_acquire) ==
	    LP_TALKER_USED;
	if (serial % 2 != 0)
		return false;
	if (*there) {
		memset(out, 0, sizeof(*out));
		for (size_t i = 0; i < sizeof(talker->name) / 8; i++)
			out->name_words[i] = get(&talker->name[i]);
		out->name_len = atomic_load_explicit(
		    &talker->name_len, memory_order_acquire);
		out->null =
		    atomic_load_explicit(&talker->null, memory_order_acquire);
		out->cluster_id = atomic_load_explicit(
		    &talker->cluster_id, memory_order_acquire);
		out->last_ms = get(&talker->last_ms);
		add_counters(talker, out);
	}
	return atomic_load_explicit(&talker->serial, memory_order_acquire) ==
	    serial;
}

/* With what drains: it belongs there, and is not all there yet. */
static bool
read_evicted(
    const struct lp_talker_list *list, struct lp_kafka_read_talker *out)
{
	uint64_t moves;
	int tries = 0;

	do {
		moves = get(&list->moves);
		memset(out, 0, sizeof(*out));
		out->evicted = true;
		add_counters(&list->places[LP_TALKER_EVICTED], out);
		for (uint32_t i = LP_TALKER_FIRST;
		     i < lp_kafka_read_talkers(list); i++)
			if (atomic_load_explicit(&list->places[i].state,
				memory_order_acquire) == LP_TALKER_DRAINING)
				add_counters(&list->places[i], out);
	} while (
	    ++tries < TRIES && (moves % 2 != 0 || get(&list->moves) != moves));
	return moves != 0;
}

static void
add_counters(const struct lp_talker *talker, struct lp_kafka_read_talker *out)
{
	for (unsigned i = 0; i < LP_TALKER_COUNTS; i++)
		out->counts[i] += get(&talker->counts[i]);
	for (unsigned i = 0; i < LP_TALKER_HISTOGRAMS; i++)
		add_histogram(&talker->histograms[i], &out->histograms[i]);
}

/* Octaves where nothing fell are not touched: they have no memory yet. */
static void
add_histogram(
    const struct lp_kafka_histogram *from, struct lp_histogram_view *to)
{
	uint64_t octaves = get(&from->octaves);
	uint64_t max_ns = get(&from->max_ns);

	to->sum_ns += get(&from->sum_ns);
	if (to->max_ns < max_ns)
		to->max_ns = max_ns;
	for (uint32_t octave = 0; octave < LP_HISTOGRAM_OCTAVES; octave++) {
		uint32_t first = octave << LP_HISTOGRAM_SUB_BITS;

		if (!(octaves >> octave & 1))
			continue;
		for (uint32_t i = 0; i < LP_HISTOGRAM_SUB; i++)
			lp_histogram_put(
			    to, first + i, get(&from->counts[first + i]));
	}
}
