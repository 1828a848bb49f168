/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/message.h"

enum { ALLOCATION = 16 }; /* what malloc() adds, at most */

static size_t of_field(
    const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
static size_t of_value(
    const ProtobufCFieldDescriptor *field, const void *value);

size_t
lp_message_memory_of(const ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	size_t bytes = descriptor->sizeof_message + ALLOCATION;

	for (unsigned i = 0; i < descriptor->n_fields; i++)
		bytes += of_field(message, &descriptor->fields[i]);
	for (unsigned i = 0; i < message->n_unknown_fields; i++)
		bytes += sizeof(message->unknown_fields[i]) +
		    message->unknown_fields[i].len + ALLOCATION;
	return bytes;
}

static size_t
of_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message;
	const void *member = base + field->offset;
	const void *quantifier = base + field->quantifier_offset;
	size_t count, bytes = ALLOCATION;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		uint32_t which;

		memcpy(&which, quantifier, sizeof(which));
		return which == field->id ? of_value(field, member) : 0;
	}
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return of_value(field, member);
	memcpy(&count, quantifier, sizeof(count));
	if (count == 0)
		return 0;
	bytes += count * sizeof(uint64_t);
	if (field->type == PROTOBUF_C_TYPE_MESSAGE ||
	    field->type == PROTOBUF_C_TYPE_STRING)
		for (size_t i = 0; i < count; i++)
			bytes += of_value(
			    field, *(char *const *)member + i * sizeof(void *));
	return bytes;
}

/* Besides the member itself. */
static size_t
of_value(const ProtobufCFieldDescriptor *field, const void *value)
{
	const ProtobufCMessage *const *message = value;
	const char *const *text = value;
	const ProtobufCBinaryData *data = value;

	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		return *message ? lp_message_memory_of(*message) : 0;
	case PROTOBUF_C_TYPE_STRING:
		return *text ? strlen(*text) + 1 + ALLOCATION : 0;
	case PROTOBUF_C_TYPE_BYTES:
		return data->data ? data->len + ALLOCATION : 0;
	default:
		return 0;
	}
}
