-- SPDX-License-Identifier: Apache-2.0
--
-- What clients are told of the brokers.

-- What becomes of the brokers' addresses that a cluster tells its clients.
ALTER TABLE listener ADD COLUMN rewrite TEXT NOT NULL DEFAULT 'on'
    CHECK (rewrite IN ('on', 'off', 'shadow'));
UPDATE listener SET rewrite = 'off' WHERE mode = 'inline' OR kafka = 'off';
-- The name that they are told in place of the VIP; NULL: the VIP.
ALTER TABLE listener ADD COLUMN advertise TEXT
    CHECK (length(advertise) BETWEEN 1 AND 253);

-- 1: chosen by the operator; 0: it follows from the listener's VIP and base.
ALTER TABLE endpoint ADD COLUMN chosen INTEGER NOT NULL DEFAULT 0
    CHECK (chosen IN (0, 1));

-- The cluster that this one is another way to; NULL: it stands for itself.
ALTER TABLE cluster ADD COLUMN same_as INTEGER
    CHECK (same_as BETWEEN 1 AND 4294967295);
