package dev.fanfare.redis;

import dev.fanfare.servers.RedisServer;
import io.lettuce.core.KillArgs;

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

    @Override
    boolean interruptBus() {
        TwoNodes.admin(server.uri(), redis -> redis.clientKill(KillArgs.Builder.typePubsub()));
        return true;
    }
}
