/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses in answers.
 *
 * Overview
 *
 * The old bytes are walked; what lies between two changes is copied in one go.
 * An address is a node's id (4 bytes), a host (its length, and the text) and a
 * port (4 bytes), one behind the other in all of these APIs.  When its port
 * has been read, the bytes up to the length of the host are copied, and the new
 * host and port follow; a host that is as long keeps the bytes of its length.
 * The frame's size is set at the end.
 */
#include "dataplane/kafka/readdress.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "dataplane/kafka/names.h"
#include "proto/pattern.h"

enum {
	SIZE_LEN = 4, /* of the frame's size, which does not count itself */
	HEAD = 8, /* size and correlation id, in front of what is walked */
	PORT_LEN = 4,
	BROKERS = 1, /* the endpoint type */
	VARINT_MAX = 5,
	HOST_MAX = 253,
	GO = LP_READDRESS_UNEQUAL + 1, /* beside the results: not yet */
};

struct readdress {
	const struct lp_readdress *how;
	struct lp_held_pool *pool;
	struct lp_chain *chain;
	uint32_t start; /* the position of the first old byte */
	uint32_t head; /* bytes in front of what is walked */
	uint32_t copied; /* old bytes, up to this position */
	uint32_t span_at; /* the position of the span that they end in */
	unsigned span;
	uint32_t changed;
	uint32_t end; /* of the last address; 0: not known yet */
	bool is_compact; /* lengths are varints */
	bool is_other; /* controllers, or what else there may be */
	/* The address that is being read. */
	int32_t node_id;
	uint32_t node_end;
	uint32_t host_at;
	uint32_t host_end;
	bool has_host;
	struct lp_readdress_watch watch;
	struct lp_walk walk;
};

static int begin(struct readdress *, uint32_t *size);
static void begin_at(struct readdress *, const struct lp_readdress_mark *);
static int walk_all(struct readdress *);
static int finish(struct readdress *, uint32_t size);

bool
lp_readdress_knows(int16_t key, int16_t version)
{
	return lp_kafka_tells_addresses(key) && lp_walk_knows(key, version);
}

uint32_t
lp_readdress_watch_fact(
    struct lp_readdress_watch *watch, const struct lp_fact *fact)
{
	if (fact->kind == LP_FACT_ENDPOINTS) {
		watch->known = true;
		watch->left = fact->value > 0 ? (int32_t)fact->value : 0;
	} else if (fact->kind == LP_FACT_PORT) {
		/* Of a list, or the only one. */
		watch->left =
		    watch->known && watch->left > 0 ? watch->left - 1 : 0;
	} else {
		return 0;
	}
	return watch->left == 0 ? fact->at + fact->width : 0;
}

enum lp_readdress_result
lp_readdress_run(struct lp_held_pool *pool, const struct lp_readdress *how,
    struct lp_chain *chain, struct lp_readdress_done *done)
{
	struct readdress run = {
	    .how = how, .pool = pool, .chain = chain, .head = HEAD};
	uint32_t size = 0;
	int result = GO;

	assert(how->mark || lp_readdress_knows(how->key, how->version));
	assert(chain->first == 0 && chain->len == 0);
	if (how->mark != NULL)
		begin_at(&run, how->mark);
	else
		result = begin(&run, &size);
	if (result == GO)
		result = walk_all(&run);
	if (result == LP_READDRESS_DONE)
		result = finish(&run, size);
	if (result != LP_READDRESS_DONE) {
		lp_chain_free(pool, chain);
		return (enum lp_readdress_result)result;
	}
	*done = (struct lp_readdress_done){.old_len = run.end - run.start,
	    .new_len = chain->len,
	    .changed = run.changed};
	return LP_READDRESS_DONE;
}

static int
append(struct readdress *run, const void *bytes, uint32_t len)
{
	if (len > LP_EDIT_BYTES_MAX - run->chain->len)
		return LP_READDRESS_LONG;
	if (!lp_chain_append(run->pool, run->chain, bytes, len))
		return LP_READDRESS_FULL;
	return GO;
}

/* Old bytes as they are, up to that position, which was walked. */
static int
copy(struct readdress *run, uint32_t to)
{
	int result = GO;

	while (run->copied < to && result == GO) {
		const struct lp_span *span = &run->how->spans[run->span];
		uint32_t offset = run->copied - run->span_at;
		uint32_t part;

		assert(run->span < run->how->span_count);
		part = span->len - offset;
		if (part > to - run->copied)
			part = to - run->copied;
		if (part > 0)
			result = append(run, span->bytes + offset, part);
		run->copied += part;
		if (offset + part == span->len) {
			run->span_at += span->len;
			run->span++;
		}
	}
	return result;
}

/* Old bytes are left out; what follows them is in the same span or a later. */
static void
leave_out(struct readdress *run, uint32_t to)
{
	run->copied = to;
	while (run->span < run->how->span_count &&
	    to - run->span_at >= run->how->spans[run->span].len)
		run->span_at += run->how->spans[run->span++].len;
}

/* The length of a host as the version has it; returns its bytes. */
static uint32_t
put_length(uint8_t bytes[VARINT_MAX], uint32_t len, bool is_compact)
{
	uint32_t count = 0, value = len + 1;

	if (!is_compact) {
		bytes[0] = (uint8_t)(len >> 8);
		bytes[1] = (uint8_t)len;
		return 2;
	}
	for (; value >= 0x80; value >>= 7)
		bytes[count++] = (uint8_t)(value | 0x80);
	bytes[count++] = (uint8_t)value;
	return count;
}

/* What clients are told in the place of that host; returns its length. */
static uint32_t
new_host(const struct readdress *run, const struct lp_advertised *other,
    char name[LP_HOST_SIZE], const char **host)
{
	assert(other->host_len >= 1 && other->host_len <= HOST_MAX);
	*host = other->host;
	if (!other->is_pattern)
		return other->host_len;
	*host = name;
	return lp_pattern_name(name, other->host, other->host_len, run->node_id,
	    run->host_end - run->host_at);
}

/* The port of an address has been read: now all of it is known. */
static int
replace(struct readdress *run, const struct lp_fact *port)
{
	const struct lp_readdress *how = run->how;
	/* Of what is hidden otherwise nothing stays as it is. */
	int as_it_is =
	    how->mark != NULL && run->has_host ? LP_READDRESS_UNEQUAL : GO;
	struct lp_advertised other;
	uint8_t length[VARINT_MAX];
	char name[LP_HOST_SIZE];
	const char *host;
	uint32_t number, len;
	int result;

	if (run->is_other || run->node_id < 0 || !run->has_host ||
	    port->value <= 0)
		return as_it_is;
	if (!how->find(how->arg, run->node_id, &other))
		return as_it_is;
	assert(port->width == PORT_LEN && port->at == run->host_end);
	len = new_host(run, &other, name, &host);
	number = htobe32(other.port);
	if (len == run->host_end - run->host_at) {
		result = copy(run, run->host_at);
	} else {
		if (as_it_is != GO)
			return as_it_is;
		result = copy(run, run->node_end);
		if (result == GO)
			result = append(run, length,
			    put_length(length, len, run->is_compact));
	}
	if (result == GO)
		result = append(run, host, len);
	if (result == GO)
		result = append(run, &number, PORT_LEN);
	leave_out(run, port->at + PORT_LEN);
	run->changed++;
	return result;
}

static int
take_fact(struct readdress *run, const struct lp_fact *fact)
{
	int result = GO;

	switch (fact->kind) {
	case LP_FACT_ENDPOINT_TYPE:
		run->is_other = fact->value != BROKERS;
		break;
	case LP_FACT_NODE_ID:
		run->node_id = (int32_t)fact->value;
		run->node_end = fact->at + fact->width;
		break;
	case LP_FACT_HOST:
		run->has_host = !fact->null && fact->full_len > 0;
		run->host_at = fact->at;
		run->host_end = fact->at + fact->full_len;
		break;
	case LP_FACT_PORT:
		result = replace(run, fact);
		break;
	default:
		break;
	}
	run->end = lp_readdress_watch_fact(&run->watch, fact);
	return result == GO && run->end > 0 ? LP_READDRESS_DONE : result;
}

/* The head of the frame, which may be cut as well; the walk begins behind. */
static int
begin(struct readdress *run, uint32_t *size)
{
	const struct lp_readdress *how = run->how;
	struct lp_kafka_api api;
	uint8_t head[HEAD];
	uint32_t len = 0;

	for (unsigned i = 0; i < how->span_count && len < HEAD; i++) {
		uint32_t part = how->spans[i].len;

		if (part > HEAD - len)
			part = HEAD - len;
		if (part > 0)
			memcpy(head + len, how->spans[i].bytes, part);
		len += part;
	}
	if (len < HEAD)
		return LP_READDRESS_SHORT;
	memcpy(size, head, sizeof(*size));
	*size = be32toh(*size);
	if (*size < HEAD - SIZE_LEN || *size > INT32_MAX)
		return LP_READDRESS_BAD;
	lp_kafka_api(how->key, &api);
	run->is_compact = api.flexible >= 0 && how->version >= api.flexible;
	lp_walk_response(&run->walk, how->key, how->version, *size);
	return GO;
}

/* In the midst of one, whose first bytes were walked before. */
static void
begin_at(struct readdress *run, const struct lp_readdress_mark *mark)
{
	lp_walk_resume(&run->walk, &mark->walk);
	assert(mark->at <= run->walk.at);
	run->start = mark->at;
	run->head = run->walk.at - mark->at;
	run->copied = mark->at;
	run->span_at = mark->at;
}

static int
walk_span(struct readdress *run, const uint8_t *bytes, uint32_t len)
{
	struct lp_cursor in = {.at = bytes, .end = bytes + len};
	struct lp_fact fact;

	for (;;) {
		int result;

		switch (lp_walk_next(&run->walk, &in, &fact)) {
		case LP_WALK_FACT:
			result = take_fact(run, &fact);
			if (result != GO)
				return result;
			break;
		case LP_WALK_MORE:
			return GO;
		case LP_WALK_DONE:
			/* There was no address at all. */
			run->end = run->walk.at;
			return LP_READDRESS_DONE;
		default:
			return LP_READDRESS_BAD;
		}
	}
}

static int
walk_all(struct readdress *run)
{
	uint32_t head = run->head;
	int result = GO;

	for (unsigned i = 0; i < run->how->span_count && result == GO; i++) {
		const struct lp_span *span = &run->how->spans[i];
		uint32_t part = head < span->len ? head : span->len;

		head -= part;
		if (part < span->len)
			result = walk_span(
			    run, span->bytes + part, span->len - part);
	}
	return result == GO ? LP_READDRESS_SHORT : result;
}

/* What is left to copy, and the new size. */
static int
finish(struct readdress *run, uint32_t size)
{
	int result = copy(run, run->end);
	int64_t value;
	uint32_t bytes;

	if (result != GO)
		return result;
	if (run->how->mark != NULL) {
		assert(run->chain->len == run->end - run->start);
		return LP_READDRESS_DONE;
	}
	value = (int64_t)size + run->chain->len - run->end;
	if (value > INT32_MAX)
		return LP_READDRESS_LONG;
	bytes = htobe32((uint32_t)value);
	assert(run->chain->len >= HEAD);
	memcpy(run->pool->pieces[run->chain->first - 1].bytes, &bytes,
	    sizeof(bytes));
	return LP_READDRESS_DONE;
}
