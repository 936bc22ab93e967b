package dev.fanfare.redis;

import dev.fanfare.servers.RedisServer;

/** The contract on one server. */
class RedisStoreContractTest extends RedisStoreContract {

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
