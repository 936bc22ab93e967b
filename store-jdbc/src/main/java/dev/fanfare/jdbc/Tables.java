package dev.fanfare.jdbc;

import java.util.regex.Pattern;

/**
 * The names of the tables.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param prefix what they begin with
 */
record Tables(String prefix) {

    static final String DEFAULT_PREFIX = "fanfare_";
    private static final Pattern PREFIX = Pattern.compile("[a-z][a-z0-9_]{0,30}");

    Tables {
        if (!PREFIX.matcher(prefix).matches()) {
            throw new IllegalArgumentException(
                    "A table prefix has 1 to 31 lower-case letters, digits or _, a letter first: " + prefix);
        }
    }

    String schema() {
        return prefix + "schema";
    }

    String origin() {
        return prefix + "origin";
    }

    String channel() {
        return prefix + "channel";
    }

    String log() {
        return prefix + "log";
    }

    String endedLife() {
        return prefix + "ended_life";
    }

    String dedup() {
        return prefix + "dedup";
    }

    String counter() {
        return prefix + "counter";
    }

    String bus() {
        return prefix + "bus";
    }

    String lease() {
        return prefix + "lease";
    }

    String present() {
        return prefix + "present";
    }

    String seat() {
        return prefix + "seat";
    }

    String node() {
        return prefix + "node";
    }

    String latest() {
        return prefix + "latest";
    }

    String outbox() {
        return prefix + "outbox";
    }

    String outboxDead() {
        return prefix + "outbox_dead";
    }

    String partition() {
        return prefix + "partition";
    }

    /** Returns the name that nodes on PostgreSQL listen to. */
    String wakeUps() {
        return prefix + "wake";
    }
}
