package dev.fanfare.redis;

import io.lettuce.core.RedisFuture;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.pubsub.api.async.RedisPubSubAsyncCommands;

/** The kinds of pub/sub that Redis has. */
enum PubSub {
    /** In a Redis Cluster all servers hear of every message. */
    PLAIN(CommandType.PUBLISH) {
        @Override
        RedisFuture<Void> subscribe(RedisPubSubAsyncCommands<String, byte[]> connection, String... names) {
            return connection.subscribe(names);
        }

        @Override
        void unsubscribe(RedisPubSubAsyncCommands<String, byte[]> connection, String... names) {
            connection.unsubscribe(names);
        }

        @Override
        int slotOf(String name) {
            return 0;
        }
    },

    /** Names are patterns, for many channels that are {@link #PLAIN}. */
    PATTERN(CommandType.PUBLISH) {
        @Override
        RedisFuture<Void> subscribe(RedisPubSubAsyncCommands<String, byte[]> connection, String... names) {
            return connection.psubscribe(names);
        }

        @Override
        void unsubscribe(RedisPubSubAsyncCommands<String, byte[]> connection, String... names) {
            connection.punsubscribe(names);
        }

        @Override
        int slotOf(String name) {
            return 0;
        }
    },

    /** A channel belongs to a slot, and a message goes to the server that has the slot. */
    SHARDED(CommandType.SPUBLISH) {
        @Override
        RedisFuture<Void> subscribe(RedisPubSubAsyncCommands<String, byte[]> connection, String... names) {
            return connection.ssubscribe(names);
        }

        @Override
        void unsubscribe(RedisPubSubAsyncCommands<String, byte[]> connection, String... names) {
            connection.sunsubscribe(names);
        }

        @Override
        int slotOf(String name) {
            return SlotHash.getSlot(name);
        }
    };

    /** The command that publishes. */
    final CommandType publish;

    PubSub(CommandType publish) {
        this.publish = publish;
    }

    abstract RedisFuture<Void> subscribe(RedisPubSubAsyncCommands<String, byte[]> connection, String... names);

    abstract void unsubscribe(RedisPubSubAsyncCommands<String, byte[]> connection, String... names);

    /** Returns what channels must have in common to be named in one command. */
    abstract int slotOf(String name);
}
