-- SPDX-License-Identifier: Apache-2.0
--
-- Inline: ports in pairs, and listeners without a VIP.

-- The name of the other port of the pair, which names this one; NULL: none.
ALTER TABLE port ADD COLUMN peer TEXT
    CHECK (length(peer) BETWEEN 1 AND 63);
ALTER TABLE port ADD COLUMN on_loss TEXT NOT NULL DEFAULT 'drop'
    CHECK (on_loss IN ('drop', 'wire'));

-- A constraint cannot be dropped: the table is made anew, and with it the one
-- that refers to it.
ALTER TABLE endpoint RENAME TO endpoint_2;
ALTER TABLE listener RENAME TO listener_2;

CREATE TABLE listener (
	id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
	cluster_id INTEGER NOT NULL
	    REFERENCES cluster (id) DEFERRABLE INITIALLY DEFERRED,
	name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
	-- NULL, both of them: inline.
	vip_ip TEXT,
	vip_port INTEGER CHECK (vip_port BETWEEN 1 AND 65535),
	broker_base INTEGER NOT NULL CHECK (broker_base BETWEEN 0 AND 65535),
	mode TEXT NOT NULL CHECK (mode IN ('vip', 'inline')),
	source_address TEXT NOT NULL
	    CHECK (source_address IN ('translate', 'preserve')),
	UNIQUE (cluster_id, name),
	UNIQUE (vip_ip, vip_port),
	CHECK ((mode = 'inline') = (vip_ip IS NULL)),
	CHECK ((vip_ip IS NULL) = (vip_port IS NULL))
) STRICT;

CREATE TABLE endpoint (
	id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
	listener_id INTEGER NOT NULL
	    REFERENCES listener (id) DEFERRABLE INITIALLY DEFERRED,
	broker_id INTEGER NOT NULL
	    REFERENCES broker (id) DEFERRABLE INITIALLY DEFERRED,
	vip_ip TEXT NOT NULL,
	vip_port INTEGER NOT NULL CHECK (vip_port BETWEEN 1 AND 65535),
	UNIQUE (listener_id, broker_id),
	UNIQUE (vip_ip, vip_port)
) STRICT;

INSERT INTO listener (id, cluster_id, name, vip_ip, vip_port, broker_base,
    mode, source_address)
    SELECT id, cluster_id, name, vip_ip, vip_port, broker_base, mode,
    source_address FROM listener_2;
INSERT INTO endpoint (id, listener_id, broker_id, vip_ip, vip_port)
    SELECT id, listener_id, broker_id, vip_ip, vip_port FROM endpoint_2;
DROP TABLE endpoint_2;
DROP TABLE listener_2;
