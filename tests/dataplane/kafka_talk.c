/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kafka_talk SOCKET SNAPSHOT: a packet process without packets.  It answers a
 * controller as lp-dataplane does, from a region in which this program has
 * counted what nobody said; until SIGTERM.
 *
 * It counts for the ids that tests/cli/test_lpctl_kafka.sh gives: cluster 1,
 * broker 2, listener 3.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/clock.h"
#include "dataplane/control.h"
#include "dataplane/pipeline/limits.h"
#include "proto/log.h"
#include "tests/support/ensure.h"
#include "tests/support/telemetry.h"

enum {
	CLUSTER = 1,
	BROKER = 2,
	LISTENER = 3,
	ENDPOINT = 7,
	PRODUCE = 0,
	FETCH = 1,
	US = 1000,
	REQUESTS = 1000,
	CLIENTS = 2000, /* that come once */
};

static struct lp_telemetry *telemetry;

static int
listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ensure(strlen(path) < sizeof(address.sun_path), "%s is too long", path);
	strcpy(address.sun_path, path);
	ensure(fd >= 0 &&
		bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		listen(fd, 8) == 0,
	    "cannot listen at %s", path);
	return fd;
}

static lp_talker_handle
client_of(const char *name)
{
	return lp_telemetry_client(telemetry, (const uint8_t *)name,
	    (uint32_t)strlen(name), false, lp_clock_ns() / 1000000);
}

/* Latencies of 1 us to 1 ms, each once: the quantiles are known. */
static void
produce(lp_talker_handle client, lp_talker_handle topic)
{
	uint32_t row = lp_telemetry_row(telemetry, ENDPOINT, PRODUCE,
	    LP_KAFKA_FROM_CLIENT, LP_KAFKA_ACKS_ALL);

	for (unsigned i = 1; i <= REQUESTS; i++) {
		lp_telemetry_request(telemetry, row, 200);
		lp_telemetry_client_request(telemetry, client, 200);
		lp_telemetry_topic_produce(telemetry, topic, 100);
		lp_telemetry_response(telemetry, row, row, 50, i * US, 0);
		lp_telemetry_client_response(
		    telemetry, client, LP_KAFKA_CLIENT_PRODUCE, 50, i * US, 0);
		lp_telemetry_topic_latency(
		    telemetry, topic, LP_KAFKA_TOPIC_PRODUCE, i * US);
	}
	lp_telemetry_request(telemetry, row, 200); /* never answered */
	lp_telemetry_error(telemetry, row, 6);
}

static void
replicate(void)
{
	uint32_t asked = lp_telemetry_row(telemetry, ENDPOINT, FETCH,
	    LP_KAFKA_FROM_BROKER, LP_KAFKA_KIND_NONE);
	uint32_t data = lp_telemetry_row(telemetry, ENDPOINT, FETCH,
	    LP_KAFKA_FROM_BROKER, LP_KAFKA_FETCH_DATA);

	lp_telemetry_request(telemetry, asked, 80);
	lp_telemetry_response(telemetry, asked, data, 90000, 500 * US, 0);
}

static void
talk(void)
{
	char name[32];

	produce(client_of("steady"),
	    lp_telemetry_topic(
		telemetry, CLUSTER, (const uint8_t *)"orders", 6, 0));
	replicate();
	client_of("odd\n");
	for (unsigned i = 0; i < CLIENTS; i++) {
		snprintf(name, sizeof(name), "once-%u", i);
		lp_telemetry_client_request(telemetry, client_of(name), 10);
	}
}

int
main(int argc, char **argv)
{
	struct lp_options options = {.id = "talker",
	    .connections = LP_CONNECTIONS_MIN,
	    .buffers = LP_BUFFERS_MIN,
	    .cpu = LP_OPTIONS_NO_CPU,
	    .keeper_fd = LP_OPTIONS_NO_KEEPER};
	struct lp_dataplane dataplane;
	struct lp_control *control;
	struct lp_endpoint_stats *place;

	ensure(argc == 3, "usage: kafka_talk SOCKET SNAPSHOT");
	options.socket_path = argv[1];
	options.snapshot_path = argv[2];
	lp_log_init("kafka_talk", true);
	ensure(
	    lp_dataplane_init(&dataplane, &options, NULL) == 0, "no dataplane");
	place = &dataplane.region.endpoints[ENDPOINT];
	place->listener_id = LISTENER;
	place->broker_id = BROKER;
	telemetry = telemetry_open(
	    dataplane.region.kafka_stats, dataplane.region.endpoints);
	talk();
	place->listener_id = 0;
	ensure(lp_control_new(&control, &dataplane, listen_at(argv[1])) == 0,
	    "no memory");
	lp_control_run(control);
	lp_control_free(control);
	telemetry_close(telemetry);
	lp_dataplane_fini(&dataplane);
	return EXIT_SUCCESS;
}
