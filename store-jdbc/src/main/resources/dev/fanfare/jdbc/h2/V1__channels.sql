-- Fanfare on H2 2.2 or newer. "fanfare_" stands for the table prefix. A value has at most 1 MiB here.

CREATE TABLE IF NOT EXISTS fanfare_origin (
    bucket int PRIMARY KEY,
    epoch varchar(32) NOT NULL
);

-- One row per channel written within its head's time. Its lock orders the appends.
CREATE TABLE IF NOT EXISTS fanfare_channel (
    id bigint PRIMARY KEY,
    name varchar(255) NOT NULL UNIQUE,
    epoch varchar(32) NOT NULL,
    next_epoch varchar(32) NOT NULL,
    top bigint NOT NULL,
    tag bigint NOT NULL,
    low bigint NOT NULL,
    last_at bigint NOT NULL,
    retained_count int NOT NULL,
    retained_millis bigint NOT NULL,
    head_millis bigint NOT NULL,
    trim_at bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS fanfare_channel_trim ON fanfare_channel (trim_at);

CREATE TABLE IF NOT EXISTS fanfare_log (
    life bigint NOT NULL,
    off bigint NOT NULL,
    tag bigint NOT NULL,
    prev_tag bigint NOT NULL,
    stored_at bigint NOT NULL,
    data varbinary(1048576) NOT NULL,
    extra varbinary(1048576),
    PRIMARY KEY (life, off)
);

-- Lives that are over: their rows in the log are deleted little by little.
CREATE TABLE IF NOT EXISTS fanfare_ended_life (
    life bigint PRIMARY KEY
);

CREATE TABLE IF NOT EXISTS fanfare_dedup (
    id varbinary(16) PRIMARY KEY,
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
);

MERGE INTO fanfare_counter (name, val) KEY (name) SELECT 'bus', 0 WHERE NOT EXISTS (SELECT 1 FROM fanfare_counter);
MERGE INTO fanfare_counter (name, val) KEY (name) VALUES ('probe', 0);

-- What one node tells the others; seq is dense and in the order of commits.
CREATE TABLE IF NOT EXISTS fanfare_bus (
    seq bigint PRIMARY KEY,
    sender bigint NOT NULL,
    kind int NOT NULL,
    channel varchar(255) NOT NULL,
    body varbinary(1048576) NOT NULL,
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
    id varbinary(16) PRIMARY KEY,
    channel varchar(255) NOT NULL,
    due_at bigint,
    last_member varbinary(1048576)
);
CREATE INDEX IF NOT EXISTS fanfare_present_channel ON fanfare_present (channel);
CREATE INDEX IF NOT EXISTS fanfare_present_due ON fanfare_present (due_at);

CREATE TABLE IF NOT EXISTS fanfare_seat (
    present_id varbinary(16) NOT NULL,
    connection varbinary(16) NOT NULL,
    incarnation bigint NOT NULL,
    grace_millis bigint NOT NULL,
    member varbinary(1048576) NOT NULL,
    PRIMARY KEY (present_id, connection)
);
CREATE INDEX IF NOT EXISTS fanfare_seat_incarnation ON fanfare_seat (incarnation);

CREATE TABLE IF NOT EXISTS fanfare_node (
    node varchar(255) PRIMARY KEY,
    ends_at bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS fanfare_latest (
    id varbinary(16) PRIMARY KEY,
    channel varchar(255) NOT NULL,
    value_key varbinary(4096) NOT NULL,
    epoch varchar(32) NOT NULL,
    off bigint NOT NULL,
    publication varbinary(1048576) NOT NULL,
    put_at bigint NOT NULL,
    ends_at bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS fanfare_latest_channel ON fanfare_latest (channel, put_at);
CREATE INDEX IF NOT EXISTS fanfare_latest_end ON fanfare_latest (ends_at);
