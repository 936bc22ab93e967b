-- Publications inside the host's own transactions. "fanfare_" stands for the table prefix.

-- Rows come and go: vacuum by count, not by share. id comes from a sequence, so it has gaps; nobody minds.
CREATE TABLE IF NOT EXISTS fanfare_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY,
    part int NOT NULL,
    channel varchar(255) NOT NULL,
    tag bigint NOT NULL,
    dedup_key varchar(255),
    data bytea NOT NULL,
    extra bytea,
    PRIMARY KEY (part, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- One lock each: who holds it gives the offsets.
CREATE TABLE IF NOT EXISTS fanfare_partition (
    part int PRIMARY KEY
);
INSERT INTO fanfare_partition (part) SELECT generate_series(0, 15) ON CONFLICT DO NOTHING;

-- What can never be appended, and why.
CREATE TABLE IF NOT EXISTS fanfare_outbox_dead (
    id bigint PRIMARY KEY,
    channel varchar(255) NOT NULL,
    dedup_key varchar(255),
    data bytea NOT NULL,
    extra bytea,
    reason varchar(1000) NOT NULL,
    dead_at bigint NOT NULL
);
