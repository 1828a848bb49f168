/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/kafka/names.h"

#include <stddef.h>

#include "dataplane/kafka/fact.h"
#include "dataplane/kafka/tables.h"

bool
lp_kafka_api(int16_t key, struct lp_kafka_api *api)
{
	const struct lp_tables_key *known;

	if (lp_kafka_api_name(key) == NULL)
		return false;
	known = &lp_tables_keys[key];
	*api = (struct lp_kafka_api){
	    .name = known->name,
	    .first = known->first,
	    .last = known->last,
	    .flexible = known->flexible,
	    .offered = known->offered,
	    .client = known->client != 0,
	    .addresses = known->addresses != 0,
	};
	return true;
}

const char *
lp_kafka_api_name(int16_t key)
{
	if (key < 0 || key >= lp_tables_key_count)
		return NULL;
	return lp_tables_keys[key].name;
}

bool
lp_kafka_tells_addresses(int16_t key)
{
	return key >= 0 && key < lp_tables_key_count &&
	    lp_tables_keys[key].addresses != 0;
}

int16_t
lp_kafka_api_count(void)
{
	return (int16_t)lp_tables_key_count;
}

const char *
lp_kafka_error_name(int16_t code)
{
	int index = code - lp_tables_error_first;

	if (index < 0 || index >= lp_tables_error_count)
		return NULL;
	return lp_tables_errors[index];
}

const char *
lp_fact_name(unsigned kind)
{
	return kind < LP_FACT_KINDS ? lp_tables_facts[kind] : NULL;
}
