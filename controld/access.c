/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview.  An observer sees the configuration, its history and counters.  An
 * operator also looks into traffic: who was refused, what would become of a
 * packet, packets themselves.  All that changes something, tells who has done
 * what, or takes the whole database is for an admin: also to confirm, as who
 * is to confirm is who has made the change.  The certificates of daemons are
 * for the links between daemons, and may ask nothing.
 */
#include "controld/access.h"

#define BODY(name) LP__PB__CONTROL_REQUEST__BODY_##name
#define ADMIN (1u << LP_ROLE_ADMIN)
#define OPERATOR (1u << LP_ROLE_OPERATOR)
#define OBSERVER (1u << LP_ROLE_OBSERVER)

static const struct lp_access rows[] = {
    {BODY(VERSION), "version", ADMIN | OPERATOR | OBSERVER, false},
    {BODY(STATUS), "status", ADMIN | OPERATOR | OBSERVER, false},
    {BODY(SHOW), "show", ADMIN | OPERATOR | OBSERVER, false},
    {BODY(HISTORY), "history", ADMIN | OPERATOR | OBSERVER, false},
    {BODY(COUNTERS), "counters", ADMIN | OPERATOR | OBSERVER, false},
    {BODY(CONNECTIONS), "connections", ADMIN | OPERATOR | OBSERVER, false},
    {BODY(KAFKA), "kafka", ADMIN | OPERATOR | OBSERVER, false},
    {BODY(RULES), "rules", ADMIN | OPERATOR | OBSERVER, false},
    {BODY(DENIALS), "denials", ADMIN | OPERATOR, false},
    {BODY(TRACE), "trace", ADMIN | OPERATOR, false},
    {BODY(CAPTURE), "capture", ADMIN | OPERATOR, false},
    {BODY(AUDIT), "audit", ADMIN, false},
    {BODY(BACKUP), "backup", ADMIN, true},
    {BODY(TRANSACTION), "transaction", ADMIN, true},
    {BODY(ROLLBACK), "rollback", ADMIN, true},
    {BODY(CONFIRM), "confirm", ADMIN, true},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const struct lp_access *
lp_access_at(size_t index)
{
	return index < ROWS ? &rows[index] : NULL;
}

const struct lp_access *
lp_access_find(Lp__Pb__ControlRequest__BodyCase body)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].body == body)
			return &rows[i];
	return NULL;
}

bool
lp_access_may(enum lp_role role, Lp__Pb__ControlRequest__BodyCase body)
{
	const struct lp_access *access = lp_access_find(body);

	return access != NULL && (access->roles & 1u << role) != 0;
}

const char *
lp_access_name(Lp__Pb__ControlRequest__BodyCase body)
{
	const struct lp_access *access = lp_access_find(body);

	return access != NULL ? access->request : "unknown";
}
