package dev.fanfare.redis;

import dev.fanfare.servers.RedisCluster;

/** The control bus on a Redis Cluster. */
class RedisClusterControlTest extends RedisControlContract {

    private RedisCluster cluster;

    @Override
    String startServers() {
        cluster = RedisCluster.start();
        return cluster.uri();
    }

    @Override
    void stopServers() {
        cluster.close();
    }
}
