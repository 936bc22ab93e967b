package dev.fanfare.redis;

import dev.fanfare.servers.RedisCluster;

/** The contract on a Redis Cluster. */
class RedisClusterContractTest extends RedisStoreContract {

    private RedisCluster cluster;

    @Override
    String startServers() {
        cluster = RedisCluster.start();
        return cluster.uri();
    }

    @Override
    boolean areWatchedByPattern() {
        return false;
    }

    @Override
    void stopServers() {
        cluster.close();
    }
}
