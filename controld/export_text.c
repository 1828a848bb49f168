/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  A row's labels are written once and copied into each of its
 * samples; a sample is one line, made on the stack and added to the buffer of
 * its metric.
 *
 * A page that Prometheus cannot read is worse than one that lacks a row: it
 * loses everything.  So whatever a dataplane says, values are escaped to valid
 * UTF-8, and what would be the same series twice is left out and counted.
 *
 * Limits.  text->size_max bytes: further rows are left out and counted.
 * Without memory the text is marked, and its user does without it.
 */
#include "controld/export_text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "proto/histogram.h"

enum type { GAUGE, COUNTER, HISTOGRAM };

/* Powers of ten that lead to the base unit; MBPS is said in megabits. */
enum unit { ONE = 0, MS = 3, NS = 9, MBPS = 100 };

enum {
	NAME_SIZE = 80,
	NUMBER_SIZE = 32,
	LINE_SIZE = NAME_SIZE + LP_EXPORT_TEXT_LABELS_SIZE +
	    LP_EXPORT_TEXT_LABEL_SIZE + 2 * NUMBER_SIZE,
	SEEN_SIZE_MIN = 64,
};

struct metric {
	const char *name; /* without the prefix that all have */
	enum type type;
	enum lp_export_set set;
	const char *own;
	enum unit unit;
	const char *help;
};

static const struct metric metrics[] = {
#define X(symbol, name, type, set, own, unit, help)                            \
	[LP_EXPORT_##symbol] = {                                               \
	    name, type, LP_EXPORT_SET_##set, own, unit, help},
    LP_EXPORT_METRICS(X)
#undef X
};

static const char *const sets[][LP_EXPORT_TEXT_LABELS_MAX] = {
#define X(symbol, ...) [LP_EXPORT_SET_##symbol] = {__VA_ARGS__},
    LP_EXPORT_SETS(X)
#undef X
};

/* Upper ends of what a histogram shows: 1, 2.5, 5 from 100 us to 60 s. */
static const struct edge {
	uint64_t ns;
	const char *le;
} edges[] = {
    {100000, "0.0001"},
    {250000, "0.00025"},
    {500000, "0.0005"},
    {1000000, "0.001"},
    {2500000, "0.0025"},
    {5000000, "0.005"},
    {10000000, "0.01"},
    {25000000, "0.025"},
    {50000000, "0.05"},
    {100000000, "0.1"},
    {250000000, "0.25"},
    {500000000, "0.5"},
    {1000000000, "1"},
    {2500000000, "2.5"},
    {5000000000, "5"},
    {10000000000, "10"},
    {25000000000, "25"},
    {60000000000, "60"},
};
enum { EDGES = sizeof(edges) / sizeof(edges[0]) };

/* A line in the making; what it is given always fits. */
struct line {
	size_t len;
	char text[LINE_SIZE];
};

static const char *type_name(enum type type);
static void put(struct line *line, const char *text);
static void put_number(struct line *line, uint64_t value, enum unit unit);
static size_t put_label(char *out, const char *name, const char *value);
static void put_sample(struct lp_export_row *row, enum lp_export_metric metric,
    const char *suffix, const char *own, const char *le, uint64_t value,
    enum unit unit);
static uint64_t count_edges(
    uint64_t counts[EDGES], const Lp__Pb__Histogram *histogram);
static uint64_t add(uint64_t a, uint64_t b);
static bool see(struct lp_export_text *text, uint64_t hash);
static bool grow_seen(struct lp_export_text *text);
static unsigned sequence_len(const uint8_t *bytes);

void
lp_export_text_init(struct lp_export_text *text, size_t size_max)
{
	*text = (struct lp_export_text){.size_max = size_max};
}

void
lp_export_text_fini(struct lp_export_text *text)
{
	for (unsigned i = 0; i < LP_EXPORT_METRIC_COUNT; i++)
		if (text->metrics[i] != NULL)
			evbuffer_free(text->metrics[i]);
	free(text->seen);
	*text = (struct lp_export_text){0};
}

bool
lp_export_text_row(struct lp_export_row *row, struct lp_export_text *text,
    enum lp_export_set set, const char *const values[])
{
	row->text = text;
	row->set = set;
	row->len = 0;
	for (unsigned i = 0;
	     i < LP_EXPORT_TEXT_LABELS_MAX && sets[set][i] != NULL; i++)
		row->len += put_label(row->labels + row->len, sets[set][i],
		    values[i] != NULL ? values[i] : "");
	row->hash = XXH3_64bits_withSeed(row->labels, row->len, set);
	if (text->size < text->size_max && see(text, row->hash))
		return true;
	text->skipped++;
	return false;
}

void
lp_export_text_add(struct lp_export_row *row, enum lp_export_metric metric,
    const char *own, uint64_t value)
{
	const struct metric *its = &metrics[metric];

	assert(its->set == row->set && its->type != HISTOGRAM);
	assert((its->own != NULL) == (own != NULL));
	/* What is named at run time may be named twice. */
	if (own != NULL &&
	    !see(row->text,
		XXH3_64bits_withSeed(
		    own, strlen(own), row->hash + (uint64_t)metric + 1))) {
		row->text->skipped++;
		return;
	}
	put_sample(row, metric, "", own, NULL, value, its->unit);
}

void
lp_export_text_histogram(struct lp_export_row *row,
    enum lp_export_metric metric, const char *own,
    const Lp__Pb__Histogram *histogram)
{
	const struct metric *its = &metrics[metric];
	uint64_t counts[EDGES], all, sum = 0;

	assert(its->set == row->set && its->type == HISTOGRAM);
	assert((its->own != NULL) == (own != NULL));
	all = histogram == NULL ? 0 : count_edges(counts, histogram);
	if (all == 0)
		return;
	for (unsigned i = 0; i < EDGES; i++) {
		sum = add(sum, counts[i]);
		put_sample(row, metric, "_bucket", own, edges[i].le, sum, ONE);
	}
	put_sample(row, metric, "_bucket", own, "+Inf", all, ONE);
	put_sample(row, metric, "_sum", own, NULL, histogram->sum_ns, NS);
	put_sample(row, metric, "_count", own, NULL, all, ONE);
}

int
lp_export_text_join(
    struct evbuffer *page, struct lp_export_text *texts[], unsigned count)
{
	for (unsigned i = 0; i < LP_EXPORT_METRIC_COUNT; i++) {
		const struct metric *its = &metrics[i];
		bool has_head = false;

		for (unsigned j = 0; j < count; j++) {
			struct evbuffer *from = texts[j]->metrics[i];

			if (from == NULL)
				continue;
			if (!has_head &&
			    evbuffer_add_printf(page,
				"# HELP lightpath_%s %s\n"
				"# TYPE lightpath_%s %s\n",
				its->name, its->help, its->name,
				type_name(its->type)) < 0)
				return -ENOMEM;
			has_head = true;
			if (evbuffer_add_buffer(page, from) != 0)
				return -ENOMEM;
		}
	}
	return 0;
}

size_t
lp_export_text_escape(char *out, const char *value)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *in = (const uint8_t *)value;
	const uint8_t *end = in + strnlen(value, LP_EXPORT_TEXT_VALUE_MAX);
	char *start = out;

	while (in < end) {
		unsigned len = sequence_len(in);

		if (len > end - in)
			break; /* the cut goes through it */
		if (*in == '"' || *in == '\\' || *in == '\n') {
			*out++ = '\\';
			*out++ = *in == '\n' ? 'n' : (char)*in;
			in++;
		} else if (len == 0) {
			memcpy(out, "\\\\x", 3);
			out[3] = hex[*in >> 4];
			out[4] = hex[*in & 15];
			out += 5;
			in++;
		} else {
			memcpy(out, in, len);
			out += len;
			in += len;
		}
	}
	return (size_t)(out - start);
}

/*
 * Of the character here, which a NUL ends in time: 1 to 4 bytes that are valid
 * UTF-8 (RFC 3629, section 4); 0 if they are not, or a control character.
 */
static unsigned
sequence_len(const uint8_t *in)
{
	uint8_t low = 0x80, high = 0xbf; /* of the second byte */
	unsigned len;

	if (in[0] < 0x80)
		return in[0] >= ' ' && in[0] != 0x7f;
	if (in[0] >= 0xc2 && in[0] <= 0xdf)
		len = 2;
	else if (in[0] >= 0xe0 && in[0] <= 0xef)
		len = 3;
	else if (in[0] >= 0xf0 && in[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (in[0] == 0xc2)
		low = 0xa0; /* below: control characters */
	else if (in[0] == 0xe0)
		low = 0xa0;
	else if (in[0] == 0xed)
		high = 0x9f;
	else if (in[0] == 0xf0)
		low = 0x90;
	else if (in[0] == 0xf4)
		high = 0x8f;
	if (in[1] < low || in[1] > high)
		return 0;
	for (unsigned i = 2; i < len; i++)
		if (in[i] < 0x80 || in[i] > 0xbf)
			return 0;
	return len;
}

static const char *
type_name(enum type type)
{
	static const char *const names[] = {
	    [GAUGE] = "gauge",
	    [COUNTER] = "counter",
	    [HISTOGRAM] = "histogram",
	};

	return names[type];
}

static void
put(struct line *line, const char *text)
{
	size_t len = strlen(text);

	assert(line->len + len <= sizeof(line->text));
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

/* Exactly, without floating point. */
static void
put_number(struct line *line, uint64_t value, enum unit unit)
{
	uint64_t one = unit == MS ? 1000 : unit == NS ? 1000000000 : 1;
	uint64_t rest = value % one;
	char text[NUMBER_SIZE];
	size_t len;

	if (unit == MBPS) {
		/* At most 2^32 Mbit/s. */
		snprintf(text, sizeof(text), "%" PRIu64, value * 125000);
	} else if (rest == 0) {
		snprintf(text, sizeof(text), "%" PRIu64, value / one);
	} else {
		snprintf(text, sizeof(text), "%" PRIu64 ".%0*" PRIu64,
		    value / one, (int)unit, rest);
		for (len = strlen(text); text[len - 1] == '0'; len--)
			text[len - 1] = '\0';
	}
	put(line, text);
}

/* name="value", behind a comma if it is not the first. */
static size_t
put_label(char *out, const char *name, const char *value)
{
	size_t len = strlen(name);
	char *start = out;

	memcpy(out, name, len);
	out += len;
	*out++ = '=';
	*out++ = '"';
	out += lp_export_text_escape(out, value);
	*out++ = '"';
	*out++ = ',';
	assert(out - start <= LP_EXPORT_TEXT_LABEL_SIZE);
	return (size_t)(out - start);
}

static void
put_sample(struct lp_export_row *row, enum lp_export_metric metric,
    const char *suffix, const char *own, const char *le, uint64_t value,
    enum unit unit)
{
	struct evbuffer **buffer = &row->text->metrics[metric];
	struct line line;

	line.len = 0;
	put(&line, "lightpath_");
	put(&line, metrics[metric].name);
	put(&line, suffix);
	if (row->len != 0 || own != NULL || le != NULL) {
		put(&line, "{");
		memcpy(line.text + line.len, row->labels, row->len);
		line.len += row->len;
		if (own != NULL)
			line.len += put_label(
			    line.text + line.len, metrics[metric].own, own);
		if (le != NULL)
			line.len += put_label(line.text + line.len, "le", le);
		line.text[line.len - 1] = '}'; /* for the last comma */
	}
	put(&line, " ");
	put_number(&line, value, unit);
	put(&line, "\n");
	if (*buffer == NULL)
		*buffer = evbuffer_new();
	if (*buffer == NULL || evbuffer_add(*buffer, line.text, line.len) != 0)
		row->text->no_memory = true;
	else
		row->text->size += line.len;
}

/*
 * How many are between two edges; returns how many there are in all.  A bucket
 * belongs where its midpoint does, which is within 0.8 % of all times in it.
 */
static uint64_t
count_edges(uint64_t counts[EDGES], const Lp__Pb__Histogram *histogram)
{
	uint64_t all = 0;
	unsigned edge = 0;

	memset(counts, 0, EDGES * sizeof(counts[0]));
	for (size_t i = 0; i < histogram->n_buckets && i < histogram->n_counts;
	     i++) {
		uint32_t bucket = histogram->buckets[i];
		uint64_t ns;

		if (bucket >= LP_HISTOGRAM_BUCKETS)
			continue; /* of a later version, or nonsense */
		ns = lp_histogram_midpoint(bucket);
		if (edge > 0 && ns <= edges[edge - 1].ns)
			edge = 0; /* they do not rise */
		while (edge < EDGES && ns > edges[edge].ns)
			edge++;
		if (edge < EDGES)
			counts[edge] = add(counts[edge], histogram->counts[i]);
		all = add(all, histogram->counts[i]);
	}
	return all;
}

/* What is cumulative must not fall, whatever it is told. */
static uint64_t
add(uint64_t a, uint64_t b)
{
	return a + b >= a ? a + b : UINT64_MAX;
}

/* True if this is the first time. */
static bool
see(struct lp_export_text *text, uint64_t hash)
{
	size_t i;

	hash |= hash == 0;
	if (text->seen_count * 2 >= text->seen_size && !grow_seen(text)) {
		text->no_memory = true;
		return false;
	}
	for (i = hash & (text->seen_size - 1); text->seen[i] != 0;
	     i = (i + 1) & (text->seen_size - 1))
		if (text->seen[i] == hash)
			return false;
	text->seen[i] = hash;
	text->seen_count++;
	return true;
}

static bool
grow_seen(struct lp_export_text *text)
{
	struct lp_export_text old = *text;

	text->seen_size =
	    old.seen_size == 0 ? SEEN_SIZE_MIN : old.seen_size * 2;
	text->seen = calloc(text->seen_size, sizeof(text->seen[0]));
	if (text->seen == NULL) {
		text->seen = old.seen;
		text->seen_size = old.seen_size;
		return false;
	}
	text->seen_count = 0;
	for (size_t i = 0; i < old.seen_size; i++)
		if (old.seen[i] != 0)
			see(text, old.seen[i]);
	free(old.seen);
	return true;
}
