package dev.fanfare.redis;

import dev.fanfare.servers.RedisServer;

/** The control bus on one server. */
class RedisControlTest extends RedisControlContract {

    private RedisServer server;

    @Override
    String startServers() {
        server = RedisServer.start();
        return server.uri();
    }

    @Override
    void stopServers() {
        server.close();
    }
}
