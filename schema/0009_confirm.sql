-- SPDX-License-Identifier: Apache-2.0
--
-- Changes that are taken back by themselves unless somebody confirms them.

-- At most one row: the newest generation, if it waits to be confirmed.
CREATE TABLE confirm (
	only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
	generation INTEGER NOT NULL,
	-- Whose content comes back if nobody confirms.
	back_to INTEGER NOT NULL,
	-- Clocks jump: no wait is longer than this, whatever until_ns says.
	wait_ms INTEGER NOT NULL CHECK (wait_ms > 0),
	until_ns INTEGER NOT NULL,
	who TEXT NOT NULL
) STRICT;
