-- Publications inside the host's own transactions. "fanfare_" stands for the table prefix.

-- id comes from a sequence, so it has gaps; nobody minds.
CREATE TABLE IF NOT EXISTS fanfare_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY,
    part int NOT NULL,
    channel varchar(255) NOT NULL,
    tag bigint NOT NULL,
    dedup_key varchar(255),
    data varbinary(1048576) NOT NULL,
    extra varbinary(1048576),
    PRIMARY KEY (part, id)
);

-- One lock each: who holds it gives the offsets.
CREATE TABLE IF NOT EXISTS fanfare_partition (
    part int PRIMARY KEY
);
MERGE INTO fanfare_partition (part) KEY (part) SELECT x FROM system_range(0, 15);

-- What can never be appended, and why.
CREATE TABLE IF NOT EXISTS fanfare_outbox_dead (
    id bigint PRIMARY KEY,
    channel varchar(255) NOT NULL,
    dedup_key varchar(255),
    data varbinary(1048576) NOT NULL,
    extra varbinary(1048576),
    reason varchar(1000) NOT NULL,
    dead_at bigint NOT NULL
);
