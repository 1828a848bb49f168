-- SPDX-License-Identifier: Apache-2.0
--
-- Brokers that are found by what their cluster says of them.

-- 1: lp-controld adds, moves and retires brokers of that cluster.
ALTER TABLE cluster ADD COLUMN discover INTEGER NOT NULL DEFAULT 0
    CHECK (discover IN (0, 1));
-- 1: by lp-controld; 0: by the operator, and never touched by it.
ALTER TABLE broker ADD COLUMN discovered INTEGER NOT NULL DEFAULT 0
    CHECK (discovered IN (0, 1));
