-- Fanfare on MariaDB 10.6 or MySQL 8 or newer. "fanfare_" stands for the table prefix. Names are bytes of UTF-8.

CREATE TABLE IF NOT EXISTS fanfare_origin (
    bucket int PRIMARY KEY,
    epoch varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE = InnoDB;

-- One row per channel written within its head's time. Its lock orders the appends.
CREATE TABLE IF NOT EXISTS fanfare_channel (
    id bigint PRIMARY KEY,
    name varbinary(1020) NOT NULL UNIQUE,
    epoch varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    next_epoch varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    top bigint NOT NULL,
    tag bigint NOT NULL,
    low bigint NOT NULL,
    last_at bigint NOT NULL,
    retained_count int NOT NULL,
    retained_millis bigint NOT NULL,
    head_millis bigint NOT NULL,
    trim_at bigint NOT NULL,
    INDEX fanfare_channel_trim (trim_at)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS fanfare_log (
    life bigint NOT NULL,
    off bigint NOT NULL,
    tag bigint NOT NULL,
    prev_tag bigint NOT NULL,
    stored_at bigint NOT NULL,
    data mediumblob NOT NULL,
    extra mediumblob,
    PRIMARY KEY (life, off)
) ENGINE = InnoDB;

-- Lives that are over: their rows in the log are deleted little by little.
CREATE TABLE IF NOT EXISTS fanfare_ended_life (
    life bigint PRIMARY KEY
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS fanfare_dedup (
    id varbinary(16) PRIMARY KEY,
    body bigint NOT NULL,
    epoch varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    off bigint NOT NULL,
    tag bigint NOT NULL,
    ends_at bigint NOT NULL,
    INDEX fanfare_dedup_end (ends_at)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS fanfare_counter (
    name varchar(32) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY,
    val bigint NOT NULL
) ENGINE = InnoDB;

INSERT IGNORE INTO fanfare_counter (name, val) VALUES ('bus', 0), ('probe', 0);

-- What one node tells the others; seq is dense and in the order of commits.
CREATE TABLE IF NOT EXISTS fanfare_bus (
    seq bigint PRIMARY KEY,
    sender bigint NOT NULL,
    kind int NOT NULL,
    channel varbinary(1020) NOT NULL,
    body mediumblob NOT NULL,
    sent_at bigint NOT NULL
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS fanfare_lease (
    incarnation bigint PRIMARY KEY,
    node varbinary(1020) NOT NULL,
    ends_at bigint NOT NULL,
    is_over boolean NOT NULL,
    INDEX fanfare_lease_node (node)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS fanfare_present (
    id varbinary(16) PRIMARY KEY,
    channel varbinary(1020) NOT NULL,
    due_at bigint,
    last_member mediumblob,
    INDEX fanfare_present_channel (channel),
    INDEX fanfare_present_due (due_at)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS fanfare_seat (
    present_id varbinary(16) NOT NULL,
    connection varbinary(16) NOT NULL,
    incarnation bigint NOT NULL,
    grace_millis bigint NOT NULL,
    member mediumblob NOT NULL,
    PRIMARY KEY (present_id, connection),
    INDEX fanfare_seat_incarnation (incarnation)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS fanfare_node (
    node varbinary(1020) PRIMARY KEY,
    ends_at bigint NOT NULL
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS fanfare_latest (
    id varbinary(16) PRIMARY KEY,
    channel varbinary(1020) NOT NULL,
    value_key blob NOT NULL,
    epoch varchar(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    off bigint NOT NULL,
    publication mediumblob NOT NULL,
    put_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    INDEX fanfare_latest_channel (channel, put_at),
    INDEX fanfare_latest_end (ends_at)
) ENGINE = InnoDB;
