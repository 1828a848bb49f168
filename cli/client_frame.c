/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client_frame.h"

#include <assert.h>
#include <errno.h>

#include "proto/frame.h"
#include "proto/message.h"

enum {
	/* Of the transaction: its length, and that more is to come. */
	AROUND_TRANSACTION = 8,
};

static size_t count_fitting(
    const Lp__Pb__Transaction *whole, size_t sent, size_t room);

int
lp_client_frame_next(
    struct lp_client_frames *frames, uint8_t **frame, size_t *len)
{
	Lp__Pb__ControlRequest request = *frames->request;
	Lp__Pb__Transaction part = LP__PB__TRANSACTION__INIT;
	const Lp__Pb__Transaction *whole;
	size_t room = LP_FRAME_SIZE_MAX - LP_FRAME_HEADER_SIZE, count, rest;

	assert(!frames->ended);
	frames->ended = true;
	if (request.body_case != LP__PB__CONTROL_REQUEST__BODY_TRANSACTION)
		return lp_message_frame(frame, len, &request.base);
	whole = request.transaction;
	rest = whole->n_operations - frames->sent;
	part = *whole;
	part.n_operations = 0;
	request.transaction = &part;
	count = lp__pb__control_request__get_packed_size(&request) +
	    AROUND_TRANSACTION;
	room = room > count ? room - count : 0;
	count = count_fitting(whole, frames->sent, room);
	if (count == 0 && rest > 0)
		return -EMSGSIZE;
	if (count < rest) {
		lp__pb__transaction__init(&part);
		part.has_more = part.more = true;
		frames->ended = false;
	}
	part.n_operations = count;
	part.operations = whole->operations + frames->sent;
	frames->sent += count;
	return lp_message_frame(frame, len, &request.base);
}

static size_t
count_fitting(const Lp__Pb__Transaction *whole, size_t sent, size_t room)
{
	size_t count = 0;

	while (sent + count < whole->n_operations) {
		size_t bytes = lp__pb__operation__get_packed_size(
		    whole->operations[sent + count]);

		/* Its tag, and its length in bytes of seven bits. */
		bytes += 1 + (bytes < 1 << 7 ? 1 : bytes < 1 << 14 ? 2 : 3);
		if (bytes > room)
			break;
		room -= bytes;
		count++;
	}
	return count;
}
