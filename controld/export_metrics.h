/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every metric that the Prometheus endpoint has, one a line: the contract of
 * dashboards and alerts.  A name or a label is never given another meaning.
 *
 * A set is the labels that a row (a port, an endpoint, a topic) gives to all
 * of its metrics; a metric may have one label more of its own.  Base units
 * are seconds and bytes; the unit says what the dataplane counts in.
 */
#ifndef LP_CONTROLD_EXPORT_METRICS_H
#define LP_CONTROLD_EXPORT_METRICS_H

/* clang-format off */
/* X(symbol, the labels' names) */
#define LP_EXPORT_SETS(X) \
	X(DAEMON) \
	X(SCRAPE) \
	X(CLUSTER, "cluster") \
	X(POLLED, "cluster") \
	X(DATAPLANE, "dataplane") \
	X(BUILD, "dataplane", "id", "version") \
	X(PORT, "dataplane", "port") \
	X(DEVICE, "dataplane", "port", "device", "backend", "driver", "mode") \
	X(ENDPOINT, "dataplane", "cluster", "listener", "broker") \
	X(API, "dataplane", "cluster", "listener", "broker", "api", "origin", "kind") \
	X(TOPIC, "dataplane", "cluster", "topic") \
	X(CLIENT, "dataplane", "client_id") \
	X(RULE, "dataplane", "rule") \
	X(EVICTED_TOPICS, "dataplane") \
	X(EVICTED_CLIENTS, "dataplane")

/* X(symbol, name without "lightpath_", type, set, label of its own or NULL, unit, help) */
#define LP_EXPORT_METRICS(X) \
	X(BUILD_INFO, "build_info", GAUGE, DAEMON, "version", ONE, "1; the version of lp-controld.") \
	X(START, "start_time_seconds", GAUGE, DAEMON, NULL, NS, "When lp-controld was started, since the epoch of Unix.") \
	X(DESIRED, "generation_desired", GAUGE, DAEMON, NULL, ONE, "The generation that every dataplane shall run.") \
	X(EPOCH, "controller_epoch", GAUGE, DAEMON, NULL, ONE, "The epoch of this lp-controld.") \
	X(TOPIC_IDS, "topic_ids", GAUGE, CLUSTER, NULL, ONE, "Topic ids whose names lp-controld knows.") \
	X(TOPIC_ID_EVENTS, "topic_id_events_total", COUNTER, CLUSTER, "event", ONE, "Topic ids at lp-controld: seeded by a broker, learnt from a dataplane, shared with one, refused (no room), renamed (refused: another name); brokers asked, and those that failed.") \
	X(POLLS, "cluster_polls_total", COUNTER, POLLED, "result", ONE, "Times that lp-controld has asked the cluster for its brokers: answered, failed.") \
	X(POLL_ANSWERED, "cluster_poll_answered_time_seconds", GAUGE, POLLED, NULL, NS, "When it has answered last, since the epoch of Unix; 0: never.") \
	X(POLL_BROKERS, "cluster_poll_brokers", GAUGE, POLLED, NULL, ONE, "Brokers that it named then.") \
	X(UP, "up", GAUGE, DATAPLANE, NULL, ONE, "1 if the dataplane answered this scrape in time, else 0.") \
	X(KAFKA_UP, "kafka_up", GAUGE, DATAPLANE, NULL, ONE, "1 if it answered in time with what it knows of Kafka, else 0.") \
	X(RULES_UP, "rules_up", GAUGE, DATAPLANE, NULL, ONE, "1 if it answered in time with what rules have matched, else 0.") \
	X(DATAPLANE_INFO, "dataplane_info", GAUGE, BUILD, NULL, ONE, "1; what the dataplane says of itself.") \
	X(STATE, "dataplane_state", GAUGE, DATAPLANE, "state", ONE, "1 for the state that the dataplane is in, 0 for the others.") \
	X(APPLIED, "generation_applied", GAUGE, DATAPLANE, NULL, ONE, "The generation that the dataplane runs; 0 if none.") \
	X(ALONE, "dataplane_alone_time_seconds", GAUGE, DATAPLANE, NULL, NS, "Since when the dataplane was without any lp-controld when this one came, since the epoch of Unix; 0: it was not.") \
	X(JOINED, "dataplane_joined_time_seconds", GAUGE, DATAPLANE, NULL, NS, "When this lp-controld came to it last, since the epoch of Unix; 0: never.") \
	X(CLOSED, "dataplane_closed_time_seconds", GAUGE, DATAPLANE, NULL, NS, "Since when it was closed then, for being alone for too long, since the epoch of Unix; 0: it was not.") \
	X(UPTIME, "uptime_seconds", GAUGE, DATAPLANE, NULL, NS, "How long the packet process runs.") \
	X(RESTARTS, "restarts_total", COUNTER, DATAPLANE, NULL, ONE, "Restarts of the packet process by its keeper.") \
	X(UNSAVED, "snapshot_unsaved", GAUGE, DATAPLANE, NULL, ONE, "1 if what the dataplane runs could not be saved for its next start.") \
	X(HANDSHAKES, "dataplane_handshakes_total", COUNTER, DATAPLANE, "result", ONE, "Controllers of other machines that came to the dataplane: accepted with their certificate, refused.") \
	X(VERDICTS, "packets_total", COUNTER, DATAPLANE, "verdict", ONE, "Packets by what became of them.") \
	X(REASONS, "packet_reasons_total", COUNTER, DATAPLANE, "reason", ONE, "Packets by why; every packet has one reason.") \
	X(WORKER_LOOPS, "worker_loops_total", COUNTER, DATAPLANE, NULL, ONE, "Turns of the worker.") \
	X(WORKER_TIME, "worker_seconds_total", COUNTER, DATAPLANE, "state", NS, "Time of the worker: busy with packets, idle without, asleep.") \
	X(WORKER_SLEEPS, "worker_sleeps_total", COUNTER, DATAPLANE, NULL, ONE, "Times that the worker went to sleep.") \
	X(WORKER_SENT, "worker_sent_packets_total", COUNTER, DATAPLANE, "kind", ONE, "Packets that are no received ones: made by the worker, or held for a while.") \
	X(WORKER_DROPPED, "worker_dropped_packets_total", COUNTER, DATAPLANE, "kind", ONE, "Packets of the same kinds that were dropped.") \
	X(TABLE, "table_entries", GAUGE, DATAPLANE, "table", ONE, "Entries in use.") \
	X(TABLE_LIMIT, "table_limit_entries", GAUGE, DATAPLANE, "table", ONE, "Entries that there can be.") \
	X(CONNECTIONS, "connection_events_total", COUNTER, DATAPLANE, "event", ONE, "Connections by what happened to them.") \
	X(PORT_INFO, "port_info", GAUGE, DEVICE, NULL, ONE, "1; what the port is.") \
	X(PORT_UP, "port_up", GAUGE, PORT, NULL, ONE, "1 if the port is open and has a link, else 0.") \
	X(PORT_MTU, "port_mtu_bytes", GAUGE, PORT, NULL, ONE, "Its MTU.") \
	X(PORT_SPEED, "port_speed_bytes", GAUGE, PORT, NULL, MBPS, "Speed of its link in bytes a second.") \
	X(PORT_RX, "port_receive_packets_total", COUNTER, PORT, NULL, ONE, "Packets received.") \
	X(PORT_RX_BYTES, "port_receive_bytes_total", COUNTER, PORT, NULL, ONE, "Bytes received.") \
	X(PORT_TX, "port_transmit_packets_total", COUNTER, PORT, NULL, ONE, "Packets transmitted.") \
	X(PORT_TX_BYTES, "port_transmit_bytes_total", COUNTER, PORT, NULL, ONE, "Bytes transmitted.") \
	X(PORT_QUEUED, "port_queued_packets", GAUGE, PORT, NULL, ONE, "Packets that wait for room in the port.") \
	X(PORT_WAITED, "port_waited_packets_total", COUNTER, PORT, NULL, ONE, "Packets transmitted that had waited for room.") \
	X(PORT_EVENTS, "port_events_total", COUNTER, PORT, "event", ONE, "What else the port counts: rx_* and tx_* are losses, steer_* what the steering program did.") \
	X(ENDPOINT_OPEN, "endpoint_connections", GAUGE, ENDPOINT, NULL, ONE, "Connections that are open.") \
	X(ENDPOINT_OPENED, "endpoint_connections_opened_total", COUNTER, ENDPOINT, NULL, ONE, "Connections opened so far.") \
	X(ENDPOINT_REFUSED, "endpoint_connections_refused_total", COUNTER, ENDPOINT, NULL, ONE, "Connections refused: no room, no source port.") \
	X(ENDPOINT_PACKETS, "endpoint_packets_total", COUNTER, ENDPOINT, "sender", ONE, "Packets of its connections.") \
	X(ENDPOINT_BYTES, "endpoint_bytes_total", COUNTER, ENDPOINT, "sender", ONE, "TCP payload of its connections.") \
	X(KAFKA_REQUESTS, "kafka_requests_total", COUNTER, API, NULL, ONE, "Requests.") \
	X(KAFKA_RESPONSES, "kafka_responses_total", COUNTER, API, NULL, ONE, "Responses.") \
	X(KAFKA_REQUEST_BYTES, "kafka_request_bytes_total", COUNTER, API, NULL, ONE, "Whole frames of requests.") \
	X(KAFKA_RESPONSE_BYTES, "kafka_response_bytes_total", COUNTER, API, NULL, ONE, "Whole frames of responses.") \
	X(KAFKA_IN_FLIGHT, "kafka_requests_in_flight", GAUGE, API, NULL, ONE, "Requests that are not answered yet.") \
	X(KAFKA_ERRORS, "kafka_errors_total", COUNTER, API, "error", ONE, "Error codes in responses, by the name that Kafka has for them.") \
	X(KAFKA_THROTTLED, "kafka_throttled_total", COUNTER, API, NULL, ONE, "Responses with a throttle time.") \
	X(KAFKA_THROTTLE, "kafka_throttle_seconds_total", COUNTER, API, NULL, MS, "The sum of their throttle times.") \
	X(KAFKA_LATENCY, "kafka_request_duration_seconds", HISTOGRAM, API, NULL, ONE, "Last byte of a request to first byte of its response, as it passed; throttled ones apart.") \
	X(KAFKA_THROTTLED_LATENCY, "kafka_throttled_request_duration_seconds", HISTOGRAM, API, NULL, ONE, "The same of throttled responses.") \
	X(KAFKA_TRANSFER, "kafka_response_transfer_seconds", HISTOGRAM, API, NULL, ONE, "First to last byte of a response.") \
	X(TOPIC_OPERATIONS, "kafka_topic_operations_total", COUNTER, TOPIC, "operation", ONE, "Produce requests and Fetch responses that name the topic.") \
	X(TOPIC_BYTES, "kafka_topic_bytes_total", COUNTER, TOPIC, "operation", ONE, "Bytes of records, as they passed.") \
	X(TOPIC_ERRORS, "kafka_topic_errors_total", COUNTER, TOPIC, NULL, ONE, "Error codes of its partitions.") \
	X(TOPIC_LATENCY, "kafka_topic_duration_seconds", HISTOGRAM, TOPIC, "operation", ONE, "Latency: Produce with acks=1 and acks=all, Fetch that was answered by data.") \
	X(CLIENT_REQUESTS, "kafka_client_requests_total", COUNTER, CLIENT, NULL, ONE, "Requests.") \
	X(CLIENT_RESPONSES, "kafka_client_responses_total", COUNTER, CLIENT, NULL, ONE, "Responses.") \
	X(CLIENT_REQUEST_BYTES, "kafka_client_request_bytes_total", COUNTER, CLIENT, NULL, ONE, "Whole frames of requests.") \
	X(CLIENT_RESPONSE_BYTES, "kafka_client_response_bytes_total", COUNTER, CLIENT, NULL, ONE, "Whole frames of responses.") \
	X(CLIENT_IN_FLIGHT, "kafka_client_requests_in_flight", GAUGE, CLIENT, NULL, ONE, "Requests that are not answered yet.") \
	X(CLIENT_ERRORS, "kafka_client_errors_total", COUNTER, CLIENT, NULL, ONE, "Error codes in its responses.") \
	X(CLIENT_THROTTLED, "kafka_client_throttled_total", COUNTER, CLIENT, NULL, ONE, "Responses with a throttle time.") \
	X(CLIENT_IDLE, "kafka_client_idle_seconds", GAUGE, CLIENT, NULL, MS, "Time since its last request.") \
	X(CLIENT_LATENCY, "kafka_client_duration_seconds", HISTOGRAM, CLIENT, "operation", ONE, "Latency: Produce, Fetch that was answered by data, the rest.") \
	X(EVICTED_TOPIC_OPERATIONS, "kafka_evicted_topic_operations_total", COUNTER, EVICTED_TOPICS, "operation", ONE, "What topics that lost their rows had counted until then: Produce requests, Fetch responses.") \
	X(EVICTED_TOPIC_BYTES, "kafka_evicted_topic_bytes_total", COUNTER, EVICTED_TOPICS, "operation", ONE, "The same: bytes of records.") \
	X(EVICTED_TOPIC_ERRORS, "kafka_evicted_topic_errors_total", COUNTER, EVICTED_TOPICS, NULL, ONE, "The same: error codes of partitions.") \
	X(EVICTED_CLIENT_REQUESTS, "kafka_evicted_client_requests_total", COUNTER, EVICTED_CLIENTS, NULL, ONE, "What client ids that lost their rows had counted until then: requests.") \
	X(EVICTED_CLIENT_RESPONSES, "kafka_evicted_client_responses_total", COUNTER, EVICTED_CLIENTS, NULL, ONE, "The same: responses.") \
	X(EVICTED_CLIENT_REQUEST_BYTES, "kafka_evicted_client_request_bytes_total", COUNTER, EVICTED_CLIENTS, NULL, ONE, "The same: whole frames of requests.") \
	X(EVICTED_CLIENT_RESPONSE_BYTES, "kafka_evicted_client_response_bytes_total", COUNTER, EVICTED_CLIENTS, NULL, ONE, "The same: whole frames of responses.") \
	X(EVICTED_CLIENT_ERRORS, "kafka_evicted_client_errors_total", COUNTER, EVICTED_CLIENTS, NULL, ONE, "The same: error codes in responses.") \
	X(EVICTED_CLIENT_THROTTLED, "kafka_evicted_client_throttled_total", COUNTER, EVICTED_CLIENTS, NULL, ONE, "The same: responses with a throttle time.") \
	X(KAFKA_FRAMES, "kafka_frames_total", COUNTER, DATAPLANE, "sender", ONE, "Frames, known or not.") \
	X(KAFKA_NOT_READ, "kafka_stream_bytes_total", COUNTER, DATAPLANE, "fate", ONE, "Bytes of streams that were not read: records are skipped, what was missed is unseen.") \
	X(KAFKA_CONNECTIONS, "kafka_connections_total", COUNTER, DATAPLANE, "protocol", ONE, "Connections by what they turned out to speak.") \
	X(KAFKA_OPAQUE, "kafka_connections_opaque", GAUGE, DATAPLANE, NULL, ONE, "Connections that cannot be read now.") \
	X(KAFKA_EVENTS, "kafka_events_total", COUNTER, DATAPLANE, "event", ONE, "What the Kafka stage counts besides.") \
	X(RULES, "rules", GAUGE, DATAPLANE, NULL, ONE, "Rules that run.") \
	X(RULES_LEFT_OUT, "rules_left_out", GAUGE, DATAPLANE, NULL, ONE, "Rules without rows of their own: those behind the first 1000 in the order in which they are asked.") \
	X(RULE_CONNECTIONS, "rule_connections_total", COUNTER, RULE, NULL, ONE, "Connections that the rule has matched when they opened, or would have.") \
	X(RULE_REQUESTS, "rule_requests_total", COUNTER, RULE, NULL, ONE, "Requests that the rule has matched, each once.") \
	X(RULE_REQUEST_BYTES, "rule_request_bytes_total", COUNTER, RULE, NULL, ONE, "Whole frames of these requests, also where answers are limited.") \
	X(RULE_REFUSED, "rule_refused_total", COUNTER, RULE, NULL, ONE, "Connections and requests that the rule has refused.") \
	X(RULE_DELAYED, "rule_delayed_total", COUNTER, RULE, NULL, ONE, "Requests whose sender the rule has made to wait.") \
	X(RULE_DELAY, "rule_delay_seconds_total", COUNTER, RULE, NULL, NS, "The sum of these waits.") \
	X(SCRAPE_TIME, "scrape_duration_seconds", GAUGE, SCRAPE, NULL, MS, "How long lp-controld collected for this scrape.") \
	X(SCRAPE_SKIPPED, "scrape_skipped_rows", GAUGE, SCRAPE, NULL, ONE, "Rows left out of this scrape: told twice, or beyond its largest size.")

enum lp_export_set {
#define X(symbol, ...) LP_EXPORT_SET_##symbol,
	LP_EXPORT_SETS(X)
#undef X
	    LP_EXPORT_SET_COUNT
};

enum lp_export_metric {
#define X(symbol, ...) LP_EXPORT_##symbol,
	LP_EXPORT_METRICS(X)
#undef X
	    LP_EXPORT_METRIC_COUNT
};
/* clang-format on */

#endif
