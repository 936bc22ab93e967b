package dev.fanfare.examples;

import dev.fanfare.examples.chat.TeamChat;
import dev.fanfare.redis.RedisStore;
import java.util.ArrayList;
import java.util.List;

/**
 * Several demo servers that are one cluster over Redis, as so many processes would be: each has a Fanfare and connections
 * of its own, and a port, one after the other. What they share beside Redis is the demo's list of who is signed in.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class DemoNodes implements Running {

    private final List<Server> servers = new ArrayList<>();
    private final List<RedisStore> stores = new ArrayList<>();

    private DemoNodes() {}

    /**
     * Starts so many.
     *
     * @param port the first one's; 0 for any free ones
     * @throws dev.fanfare.StoreException if Redis cannot be reached
     */
    static DemoNodes start(String host, int port, int count, String redis) {
        DemoNodes nodes = new DemoNodes();
        boolean started = false;
        try {
            TeamChat chat = TeamChat.create();
            for (int i = 0; i < count; i++) {
                nodes.add(host, port == 0 ? 0 : port + i, i == 0 ? chat : chat.onAnotherNode(), redis);
            }
            started = true;
            return nodes;
        } finally {
            if (!started) {
                nodes.close();
            }
        }
    }

    private void add(String host, int port, TeamChat chat, String redis) {
        RedisStore store = RedisStore.builder(redis).clientName("fanfare-demo").build();
        stores.add(store);
        servers.add(DemoServer.start(
                host, port, chat, builder -> builder.store(store), registry -> RedisMeters.register(registry, store)));
    }

    /** Returns the ports on which they listen. */
    List<Integer> ports() {
        return servers.stream().map(Server::port).toList();
    }

    @Override
    public void close() {
        servers.forEach(Server::close);
        stores.forEach(RedisStore::close);
    }
}
