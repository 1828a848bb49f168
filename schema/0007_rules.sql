-- SPDX-License-Identifier: Apache-2.0
--
-- Rules, and what listeners say of bytes that these cannot judge.

-- Match and action are texts, in the canonical form of their language.
CREATE TABLE rule (
	id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
	name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 63),
	-- The highest is asked first; of equal ones the lower id.
	priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 65535),
	-- 1: it matches and counts, and does not act.
	shadow INTEGER NOT NULL DEFAULT 0 CHECK (shadow IN (0, 1)),
	match TEXT NOT NULL CHECK (length(match) < 512),
	action TEXT NOT NULL CHECK (length(action) < 160)
) STRICT;

-- NULL: nobody has said it.
ALTER TABLE listener ADD COLUMN unjudged TEXT
    CHECK (unjudged IN ('pass', 'reset'));
