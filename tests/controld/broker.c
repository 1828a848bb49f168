/* SPDX-License-Identifier: Apache-2.0 */
#include "broker.h"

#include <event2/buffer.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/ensure.h"

struct writer {
	uint8_t *start, *at;
};

static void
put(struct writer *writer, unsigned bytes, uint64_t value)
{
	while (bytes-- > 0)
		*writer->at++ = (uint8_t)(value >> 8 * bytes);
}

static void
put_text(struct writer *writer, const char *text)
{
	size_t len = strlen(text);

	put(writer, 1, len + 1);
	memcpy(writer->at, text, len);
	writer->at += len;
}

/* Varints of one or two bytes. */
static void
put_varint(struct writer *writer, unsigned value)
{
	if (value >= 0x80)
		put(writer, 1, (value & 0x7f) | 0x80);
	put(writer, 1, value >= 0x80 ? value >> 7 : value);
}

static size_t
finish(struct writer *writer)
{
	size_t len = (size_t)(writer->at - writer->start);

	writer->at = writer->start;
	put(writer, 4, len - 4);
	return len;
}

size_t
broker_versions(uint8_t *out, int32_t correlation_id, int16_t min, int16_t max)
{
	struct writer writer = {out, out + 4};

	put(&writer, 4, (uint32_t)correlation_id);
	put(&writer, 2, 0); /* no error */
	put(&writer, 4, 3);
	put(&writer, 6, 0x00000000000c); /* Produce, 0 to 12 */
	put(&writer, 2, 3);
	put(&writer, 2, (uint16_t)min);
	put(&writer, 2, (uint16_t)max);
	put(&writer, 6, 0x001200000004); /* ApiVersions, 0 to 4 */
	return finish(&writer);
}

static void
put_topic(struct writer *writer, unsigned n)
{
	char name[32];

	put(writer, 2, 0);
	snprintf(name, sizeof(name), "topic-%u", n);
	put_text(writer, name);
	memset(writer->at, (int)(n + 1), 16);
	writer->at += 16;
	put(writer, 1, 0); /* not internal */
	put(writer, 1, 2 + 1);
	for (unsigned i = 0; i < 2; i++) {
		put(writer, 2, 0);
		put(writer, 4, i); /* partition */
		put(writer, 4, 1); /* leader */
		put(writer, 4, 7); /* its epoch */
		for (unsigned list = 0; list < 2; list++) {
			put(writer, 1, 1 + 1);
			put(writer, 4, 1);
		}
		put(writer, 1, 0 + 1); /* none is offline */
		put(writer, 1, 0);
	}
	put(writer, 4, INT32_MIN);
	put(writer, 1, 0);
}

size_t
broker_metadata(
    uint8_t *out, int32_t correlation_id, int16_t version, unsigned topics)
{
	struct writer writer = {out, out + 4};

	put(&writer, 4, (uint32_t)correlation_id);
	put(&writer, 1, 0); /* header's tagged fields */
	put(&writer, 4, 0); /* throttle time */
	put(&writer, 1, 1 + 1);
	put(&writer, 4, 1); /* node id */
	put_text(&writer, "broker-1.example");
	put(&writer, 4, 9092);
	put(&writer, 1, 0); /* no rack */
	put(&writer, 1, 0);
	put_text(&writer, "kmLtNRwIQhO1Xq0a9WAbcd");
	put(&writer, 4, 1); /* controller */
	put_varint(&writer, topics + 1);
	for (unsigned i = 0; i < topics; i++)
		put_topic(&writer, i);
	if (version < 11)
		put(&writer, 4, INT32_MIN);
	put(&writer, 1, 0);
	return finish(&writer);
}

static void
hang_up(struct broker *broker, struct bufferevent *bev)
{
	for (unsigned i = 0; i < broker->bev_count; i++)
		if (broker->bevs[i] == bev)
			broker->bevs[i] = broker->bevs[--broker->bev_count];
	bufferevent_free(bev);
}

static void
answer_versions(
    struct broker *broker, struct bufferevent *bev, int32_t correlation_id)
{
	static const uint8_t alert[] = {0x15, 3, 3, 0, 2, 2, 80};
	static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	uint8_t out[BROKER_ANSWER_MAX];
	size_t len = broker_versions(out, correlation_id, 0,
	    broker->mood == BROKER_OLD ? 9 : broker->max);

	if (broker->mood == BROKER_REFUSES)
		out[9] = 35;
	if (broker->mood == BROKER_CLOSES)
		hang_up(broker, bev);
	else if (broker->mood == BROKER_TLS)
		bufferevent_write(bev, alert, sizeof(alert));
	else if (broker->mood == BROKER_HTTP)
		bufferevent_write(bev, http, sizeof(http) - 1);
	else if (broker->mood != BROKER_SILENT)
		bufferevent_write(bev, out, len);
}

static void
answer_metadata(struct broker *broker, struct bufferevent *bev,
    int32_t correlation_id, int16_t version)
{
	uint8_t out[BROKER_ANSWER_MAX];
	size_t len = broker_metadata(out,
	    broker->mood == BROKER_OTHER ? correlation_id + 1 : correlation_id,
	    version, broker->topics);

	broker->questions++;
	if (broker->mood == BROKER_SASL) {
		hang_up(broker, bev);
		return;
	}
	if (broker->mood == BROKER_LIES)
		out[3] = (uint8_t)(out[3] - 5);
	if (broker->mood == BROKER_HUGE)
		out[0] = 0x7f;
	if (broker->mood == BROKER_HALF)
		len -= 9;
	bufferevent_write(bev, out, len);
}

static void
on_written(struct bufferevent *bev, void *arg)
{
	struct broker *broker = arg;

	if (broker->mood == BROKER_HALF && broker->questions > 0)
		hang_up(broker, bev);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct broker *broker = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t have = evbuffer_get_length(input);
	const uint8_t *in = evbuffer_pullup(input, -1);
	size_t len;
	int32_t id;
	int16_t key, version;

	if (have < 12)
		return;
	len = 4 + ((size_t)in[2] << 8 | in[3]);
	if (have < len)
		return;
	ensure(have == len, "one request at a time");
	key = in[5];
	version = in[7];
	id = (int32_t)((uint32_t)in[8] << 24 | (uint32_t)in[9] << 16 |
	    (uint32_t)in[10] << 8 | in[11]);
	evbuffer_drain(input, len);
	ensure(key == 18 || key == 3, "ApiVersions or Metadata");
	if (key == 18)
		answer_versions(broker, bev, id);
	else
		answer_metadata(broker, bev, id, version);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		hang_up(arg, bev);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct broker *broker = arg;
	struct bufferevent *bev =
	    bufferevent_socket_new(broker->base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)address;
	(void)len;
	ensure(broker->bev_count < 16, "too many connections");
	broker->bevs[broker->bev_count++] = bev;
	broker->connections++;
	bufferevent_setcb(bev, on_read, on_written, on_event, broker);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

void
broker_start(struct broker *broker, struct event_base *base)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);

	*broker = (struct broker){.base = base, .topics = 3, .max = 13};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	broker->listener = evconnlistener_new_bind(base, on_accept, broker,
	    LEV_OPT_CLOSE_ON_FREE, 8, (struct sockaddr *)&address, len);
	ensure(broker->listener != NULL, "cannot listen");
	ensure(getsockname(evconnlistener_get_fd(broker->listener),
		   (struct sockaddr *)&address, &len) == 0,
	    "no address");
	lp_ip_parse(&broker->endpoint.ip, "127.0.0.1", NULL);
	broker->endpoint.port = ntohs(address.sin_port);
}

void
broker_stop(struct broker *broker)
{
	while (broker->bev_count > 0)
		hang_up(broker, broker->bevs[0]);
	evconnlistener_free(broker->listener);
}
