-- Fanfare on PostgreSQL 13 or newer. "fanfare_" stands for the table prefix.

CREATE TABLE IF NOT EXISTS fanfare_origin (
    bucket int PRIMARY KEY,
    epoch varchar(32) NOT NULL
);

-- One row per channel written within its head's time. Its lock orders the appends; a free half page keeps updates HOT.
-- prev_tag only hands the tag that an append replaces on, within the statement that appends.
CREATE TABLE IF NOT EXISTS fanfare_channel (
    id bigint PRIMARY KEY,
    name varchar(255) COLLATE "C" NOT NULL UNIQUE,
    epoch varchar(32) NOT NULL,
    next_epoch varchar(32) NOT NULL,
    top bigint NOT NULL,
    tag bigint NOT NULL,
    prev_tag bigint NOT NULL DEFAULT 0,
    last_at bigint NOT NULL,
    low bigint NOT NULL,
    retained_count int NOT NULL,
    retained_millis bigint NOT NULL,
    head_millis bigint NOT NULL,
    trim_at bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX IF NOT EXISTS fanfare_channel_trim ON fanfare_channel (trim_at);

CREATE TABLE IF NOT EXISTS fanfare_log (
    life bigint NOT NULL,
    off bigint NOT NULL,
    tag bigint NOT NULL,
    prev_tag bigint NOT NULL,
    stored_at bigint NOT NULL,
    data bytea NOT NULL,
    extra bytea,
    PRIMARY KEY (life, off)
);

-- Lives that are over: their rows in the log are deleted little by little.
CREATE TABLE IF NOT EXISTS fanfare_ended_life (
    life bigint PRIMARY KEY
);

CREATE TABLE IF NOT EXISTS fanfare_dedup (
    id bytea PRIMARY KEY,
    body bigint NOT NULL,
    epoch varchar(32) NOT NULL,
    off bigint NOT NULL,
    tag bigint NOT NULL,
    ends_at bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS fanfare_dedup_end ON fanfare_dedup (ends_at);

CREATE TABLE IF NOT EXISTS fanfare_counter (
    name varchar(32) PRIMARY KEY,
    val bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO fanfare_counter (name, val) VALUES ('bus', 0), ('probe', 0) ON CONFLICT DO NOTHING;

-- What one node tells the others; seq is dense and in the order of commits.
CREATE TABLE IF NOT EXISTS fanfare_bus (
    seq bigint PRIMARY KEY,
    sender bigint NOT NULL,
    kind int NOT NULL,
    channel varchar(255) NOT NULL,
    body bytea NOT NULL,
    sent_at bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS fanfare_lease (
    incarnation bigint PRIMARY KEY,
    node varchar(255) NOT NULL,
    ends_at bigint NOT NULL,
    is_over boolean NOT NULL
);
CREATE INDEX IF NOT EXISTS fanfare_lease_node ON fanfare_lease (node);

CREATE TABLE IF NOT EXISTS fanfare_present (
    id bytea PRIMARY KEY,
    channel varchar(255) COLLATE "C" NOT NULL,
    due_at bigint,
    last_member bytea
);
CREATE INDEX IF NOT EXISTS fanfare_present_channel ON fanfare_present (channel);
CREATE INDEX IF NOT EXISTS fanfare_present_due ON fanfare_present (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS fanfare_seat (
    present_id bytea NOT NULL,
    connection bytea NOT NULL,
    incarnation bigint NOT NULL,
    grace_millis bigint NOT NULL,
    member bytea NOT NULL,
    PRIMARY KEY (present_id, connection)
);
CREATE INDEX IF NOT EXISTS fanfare_seat_incarnation ON fanfare_seat (incarnation);

CREATE TABLE IF NOT EXISTS fanfare_node (
    node varchar(255) PRIMARY KEY,
    ends_at bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS fanfare_latest (
    id bytea PRIMARY KEY,
    channel varchar(255) COLLATE "C" NOT NULL,
    value_key bytea NOT NULL,
    epoch varchar(32) NOT NULL,
    off bigint NOT NULL,
    publication bytea NOT NULL,
    put_at bigint NOT NULL,
    ends_at bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS fanfare_latest_channel ON fanfare_latest (channel, put_at);
CREATE INDEX IF NOT EXISTS fanfare_latest_end ON fanfare_latest (ends_at);
