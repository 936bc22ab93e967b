package dev.fanfare.spring;

import dev.fanfare.ChannelId;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.jdbc.Outbox;
import java.sql.Connection;

/** A publication that waits for its transaction's commit. */
record Pending(ChannelId channel, Payload data, PublishOptions options) {

    void insertInto(Outbox outbox, Connection connection) {
        outbox.publishIn(connection, channel, data, options);
    }
}
