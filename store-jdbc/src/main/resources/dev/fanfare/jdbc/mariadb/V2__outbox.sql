-- Publications inside the host's own transactions. "fanfare_" stands for the table prefix.

-- id comes from a counter, so it has gaps; nobody minds.
CREATE TABLE IF NOT EXISTS fanfare_outbox (
    id bigint NOT NULL AUTO_INCREMENT,
    part int NOT NULL,
    channel varbinary(1020) NOT NULL,
    tag bigint NOT NULL,
    dedup_key varchar(255) CHARACTER SET utf8mb4,
    data mediumblob NOT NULL,
    extra mediumblob,
    PRIMARY KEY (id),
    INDEX fanfare_outbox_part (part, id)
) ENGINE = InnoDB;

-- One lock each: who holds it gives the offsets.
CREATE TABLE IF NOT EXISTS fanfare_partition (
    part int PRIMARY KEY
) ENGINE = InnoDB;
INSERT IGNORE INTO fanfare_partition (part) VALUES
    (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15);

-- What can never be appended, and why.
CREATE TABLE IF NOT EXISTS fanfare_outbox_dead (
    id bigint PRIMARY KEY,
    channel varbinary(1020) NOT NULL,
    dedup_key varchar(255) CHARACTER SET utf8mb4,
    data mediumblob NOT NULL,
    extra mediumblob,
    reason varchar(1000) CHARACTER SET utf8mb4 NOT NULL,
    dead_at bigint NOT NULL
) ENGINE = InnoDB;
