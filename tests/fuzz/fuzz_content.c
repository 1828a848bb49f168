/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of a generation, from a database that may be damaged: what is
 * taken from it is right, and packs to content that is taken again.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controld/store_content.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lp_config config, again;
	char why[LP_WHY_SIZE] = "";
	/* Of its own size, so that a byte too far is found. */
	uint8_t *bytes = malloc(size > 0 ? size : 1), *packed;
	uint64_t digest;
	size_t len;
	int err;

	assert(bytes != NULL);
	memcpy(bytes, data, size);
	lp_config_init(&config);
	lp_config_init(&again);
	err = lp_store_content_unpack(&config, bytes, size, &digest, why);
	assert(err == 0 || (err == -EINVAL && why[0] != '\0'));
	for (size_t i = 0; i < config.count; i++) {
		const char *field;

		assert(config.objects[i].id != 0);
		assert(lp_object_check(&config.objects[i], &field, why) == 0);
	}
	assert(lp_store_content_pack(&config, &packed, &len) == 0);
	assert(lp_store_content_unpack(&again, packed, len, &digest, why) == 0);
	assert(lp_config_digest(&again) == lp_config_digest(&config));
	assert(digest == lp_config_digest(&config));
	lp_config_fini(&config);
	lp_config_fini(&again);
	free(packed);
	free(bytes);
	return 0;
}

static void
put(struct lp_config *config, uint32_t id, struct lp_object *object)
{
	object->id = id;
	assert(lp_config_put(config, object) == 0);
}

/* Of most kinds. */
size_t
fuzz_seed(unsigned index, uint8_t *data, size_t max)
{
	struct lp_config config;
	struct lp_object object;
	uint8_t *packed;
	size_t len;

	if (index > 0)
		return 0;
	lp_config_init(&config);
	lp_object_init(&object, LP_OBJECT_CLUSTER);
	strcpy(object.cluster.name, "payments");
	put(&config, 2, &object);
	lp_object_init(&object, LP_OBJECT_BROKER);
	object.broker.cluster_id = 2;
	strcpy(object.broker.host, "10.9.0.21");
	assert(lp_endpoint_parse(&object.broker.real, "10.9.0.21:9092", NULL) ==
	    0);
	put(&config, 3, &object);
	lp_object_init(&object, LP_OBJECT_RULE);
	strcpy(object.rule.name, "scan");
	strcpy(object.rule.match, "api=Fetch");
	strcpy(object.rule.action, "observe");
	put(&config, 4, &object);
	assert(lp_store_content_pack(&config, &packed, &len) == 0);
	assert(len <= max);
	memcpy(data, packed, len);
	free(packed);
	lp_config_fini(&config);
	return len;
}
