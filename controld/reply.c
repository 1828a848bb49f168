/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "controld/audit.h"

void
lp_reply_send(const struct lp_context *context, const struct lp_reply_to *to,
    Lp__Pb__ControlReply *reply)
{
	reply->cookie = to->cookie;
	/* Before he is told: who has been told finds it there. */
	if (to->audit.request != NULL && !reply->more)
		lp_audit_answered(context->audit, &to->audit, reply);
	if (to->client == LP_REPLY_SELF)
		context->self(context->arg_of_self, reply);
	else if (to->client != LP_REPLY_NOBODY)
		context->reply(context->arg, to->client, reply);
}

void
lp_reply_failure(const struct lp_context *context, const struct lp_reply_to *to,
    const struct lp_reply_failure *failure, const char *format, ...)
{
	Lp__Pb__ControlReply reply = LP__PB__CONTROL_REPLY__INIT;
	Lp__Pb__Failure message = LP__PB__FAILURE__INIT;
	char text[LP_STORE_WHY_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	message.result = failure->result;
	message.has_place = failure->place != 0;
	message.place = failure->place;
	message.object = (char *)failure->object;
	message.field = (char *)failure->field;
	message.dataplane = (char *)failure->dataplane;
	message.text = text;
	reply.body_case = LP__PB__CONTROL_REPLY__BODY_FAILURE;
	reply.failure = &message;
	lp_reply_send(context, to, &reply);
}

const char *
lp_reply_dataplane_name(const struct lp_push_dataplane *dataplane)
{
	return dataplane->id[0] != '\0' ? dataplane->id : dataplane->path;
}
