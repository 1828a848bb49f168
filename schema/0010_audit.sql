-- SPDX-License-Identifier: Apache-2.0
--
-- Who has changed what, or was not let.

-- Requests that change something, and those that were refused for a role.
CREATE TABLE audit (
	number INTEGER PRIMARY KEY CHECK (number >= 1),
	time_ns INTEGER NOT NULL,
	who TEXT NOT NULL,
	-- "unix", or the address of the peer.
	came_from TEXT NOT NULL,
	role TEXT NOT NULL,
	request TEXT NOT NULL,
	result TEXT NOT NULL,
	-- As typed, or why it was not done.
	text TEXT NOT NULL,
	-- 1: the text was longer.
	cut INTEGER NOT NULL CHECK (cut IN (0, 1)),
	-- That it led to; NULL: none.
	generation INTEGER
) STRICT;
