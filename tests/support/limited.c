/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/limited.h"

#include "tests/support/edited.h"

const char *limited_client = "web-1";

void
limited_produce(int16_t version, int16_t acks, const char *topic)
{
	kafka_request(&edited_sent, PRODUCE, version, 7, limited_client, false);
	edited_wanted.len = 0;
	kafka_string(&edited_sent, NULL);
	kafka_int16(&edited_sent, acks);
	kafka_int32(&edited_sent, 1000);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, topic);
	kafka_int32(&edited_sent, 1);
	kafka_int32(&edited_sent, 0);
	kafka_int32(&edited_sent, 20);
	kafka_fill(&edited_sent, 0x5a, 20);
	edited_same();
	edited_end();
}

void
limited_produce_answer(int32_t brokers_ms, int32_t told_ms)
{
	kafka_response(&edited_sent, 7, false);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "orders");
	kafka_int32(&edited_sent, 1);
	kafka_int32(&edited_sent, 0);
	kafka_int16(&edited_sent, 0);
	kafka_int64(&edited_sent, -1);
	kafka_int64(&edited_sent, -1);
	kafka_int64(&edited_sent, -1);
	edited_same();
	edited_int32(brokers_ms, told_ms);
	edited_end();
}

void
limited_fetch(int16_t version)
{
	kafka_request(&edited_sent, FETCH, version, 7, limited_client, false);
	edited_wanted.len = 0;
	kafka_int32(&edited_sent, -1);
	kafka_int32(&edited_sent, 500);
	kafka_int32(&edited_sent, 1);
	kafka_int32(&edited_sent, 1 << 20);
	kafka_int8(&edited_sent, 0);
	kafka_int32(&edited_sent, 0);
	kafka_int32(&edited_sent, 0);
	kafka_int32(&edited_sent, 0);
	kafka_int32(&edited_sent, 0);
	edited_same();
	edited_end();
}

void
limited_fetch_answer(int32_t told_ms)
{
	kafka_response(&edited_sent, 7, false);
	edited_wanted.len = 0;
	edited_same();
	edited_int32(0, told_ms);
	kafka_int16(&edited_sent, 0);
	kafka_int32(&edited_sent, 0);
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "orders");
	kafka_int32(&edited_sent, 1);
	kafka_int32(&edited_sent, 0);
	kafka_int16(&edited_sent, 0);
	kafka_int64(&edited_sent, 10);
	kafka_int64(&edited_sent, 10);
	kafka_int64(&edited_sent, 0);
	kafka_int32(&edited_sent, -1);
	kafka_int32(
	    &edited_sent, LIMITED_ANSWER - (int32_t)edited_sent.len - 4);
	kafka_fill(&edited_sent, 0x77, LIMITED_ANSWER - edited_sent.len);
	edited_same();
	edited_end();
}

void
limited_heartbeat(void)
{
	kafka_request(
	    &edited_sent, LIMITED_HEARTBEAT, 0, 7, limited_client, false);
	edited_wanted.len = 0;
	kafka_string(&edited_sent, "group");
	kafka_int32(&edited_sent, 1);
	kafka_string(&edited_sent, "member");
	edited_same();
	edited_end();
}
