/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/apis.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "proto/nearest.h"

const struct lp_apis_entry *
lp_apis_get(int64_t key)
{
	if (key < 0 || key >= lp_apis_table_count)
		return NULL;
	return lp_apis_table[key].name ? &lp_apis_table[key] : NULL;
}

const char *
lp_apis_name(int64_t key)
{
	const struct lp_apis_entry *entry = lp_apis_get(key);

	return entry ? entry->name : NULL;
}

int
lp_apis_find(const char *name, size_t len)
{
	for (int key = 0; key < lp_apis_table_count; key++) {
		const char *known = lp_apis_table[key].name;

		if (known && strlen(known) == len &&
		    strncasecmp(known, name, len) == 0)
			return key;
	}
	return -1;
}

const char *
lp_apis_nearest(const char *name, size_t len)
{
	struct lp_nearest nearest;

	lp_nearest_init(&nearest, name, len);
	for (int key = 0; key < lp_apis_table_count; key++)
		if (lp_apis_table[key].name)
			lp_nearest_offer(&nearest, lp_apis_table[key].name);
	return nearest.best;
}

uint32_t
lp_apis_versions(const struct lp_apis_entry *entry)
{
	assert(entry->first <= entry->last && entry->last < 32);
	return UINT32_MAX << entry->first & UINT32_MAX >> (31 - entry->last);
}

uint32_t
lp_apis_topic_versions(const struct lp_apis_entry *entry)
{
	return entry->seen[LP_APIS_TOPIC_NAME] | entry->seen[LP_APIS_TOPIC_ID] |
	    entry->seen[LP_APIS_TOPIC_RESOURCE];
}
