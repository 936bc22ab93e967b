package dev.fanfare.servers;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** A real Redis Cluster of three primaries, and if wanted a replica of one of them. */
public final class RedisCluster implements AutoCloseable {

    public static final int SLOTS = 16_384;

    private static final int PRIMARIES = 3;

    private static final List<String> OPTIONS = List.of(
            "--save",
            "",
            "--appendonly",
            "no",
            "--cluster-enabled",
            "yes",
            "--cluster-config-file",
            "nodes.conf",
            "--cluster-node-timeout",
            "2000");

    private final Function<String[], RedisServer> starter;
    private final List<RedisServer> servers = new ArrayList<>();

    private RedisCluster(Function<String[], RedisServer> starter) {
        this.starter = starter;
    }

    /** Starts one and waits until every server says that it is whole. */
    public static RedisCluster start() {
        return start(RedisServer::start, -1);
    }

    /** Starts one in which the primary of that slot has a replica, and waits until that is linked. */
    public static RedisCluster startWithReplicaFor(int slot) {
        return start(RedisServer::start, slot * PRIMARIES / SLOTS);
    }

    /** Starts one that speaks TLS, between its servers too. */
    public static RedisCluster startWithTls(Path certificate, Path key) {
        return start(
                options -> {
                    List<String> all = new ArrayList<>(List.of(options));
                    all.addAll(List.of("--tls-cluster", "yes"));
                    return RedisServer.startWithTls(certificate, key, all.toArray(String[]::new));
                },
                -1);
    }

    private static RedisCluster start(Function<String[], RedisServer> starter, int replicated) {
        RedisCluster cluster = new RedisCluster(starter);
        for (int i = 0; i < PRIMARIES + (replicated < 0 ? 0 : 1); i++) {
            cluster.servers.add(starter.apply(OPTIONS.toArray(String[]::new)));
        }
        cluster.join(replicated);
        return cluster;
    }

    /** Adds a primary without slots, with those options; returns its number when all know it. */
    public int add(String... options) {
        List<String> all = new ArrayList<>(OPTIONS);
        all.addAll(List.of(options));
        servers.add(starter.apply(all.toArray(String[]::new)));
        int number = servers.size() - 1;
        meet(number);
        awaitAllKnowAll();
        await(() -> ask(number, "CLUSTER INFO").contains("cluster_state:ok"));
        return number;
    }

    private void meet(int number) {
        ask(0, "CLUSTER MEET 127.0.0.1 " + portInCluster(servers.get(number)));
    }

    private static int portInCluster(RedisServer server) {
        return server.tlsPort() < 0 ? server.port() : server.tlsPort();
    }

    private void awaitAllKnowAll() {
        String all = "cluster_known_nodes:" + servers.size();
        awaitEach("CLUSTER INFO", info -> info.contains(all));
    }

    private void join(int replicated) {
        for (int i = 0; i < PRIMARIES; i++) {
            int first = SLOTS * i / PRIMARIES;
            int last = SLOTS * (i + 1) / PRIMARIES - 1;
            ask(i, "CLUSTER SET-CONFIG-EPOCH " + (i + 1));
            ask(i, "CLUSTER ADDSLOTSRANGE " + first + ' ' + last);
        }
        for (int i = 1; i < servers.size(); i++) {
            meet(i);
        }
        awaitAllKnowAll();
        if (replicated >= 0) {
            await(() -> ask(PRIMARIES, "CLUSTER REPLICATE " + id(replicated)).contains("OK"));
            await(() -> ask(PRIMARIES, "INFO replication").contains("master_link_status:up"));
        }
        awaitEach("CLUSTER INFO", info -> info.contains("cluster_state:ok"));
        awaitEach(
                "CLUSTER SLOTS",
                slots -> servers.subList(0, PRIMARIES).stream()
                        .allMatch(server ->
                                slots.contains(":" + server.port()) || slots.contains(":" + portInCluster(server))));
    }

    /** Returns the URI of the store, which names all servers. */
    public String uri() {
        return uri("redis-cluster://");
    }

    /** Returns the URI of the store that begins so; for TLS with the ports for that. */
    public String uri(String start) {
        boolean isTls = start.startsWith("rediss");
        return servers.stream()
                .map(server -> "127.0.0.1:" + (isTls ? server.tlsPort() : server.port()))
                .collect(Collectors.joining(",", start, ""));
    }

    /** Returns the server of that number, counted from 0; the primaries come first. */
    public RedisServer server(int number) {
        return servers.get(number);
    }

    /** Returns the number of the primary that has a slot, as one that lives sees it. */
    public int primaryOf(int slot) {
        int living = servers.get(0).isAlive() ? 0 : 1;
        for (String line : ask(living, "CLUSTER NODES").split("\n")) {
            String[] words = line.trim().split(" ");
            boolean isOwner = Arrays.stream(words).skip(8).anyMatch(range -> isIn(slot, range));
            if (isOwner) {
                int port = Integer.parseInt(words[1].replaceAll(".*:(\\d+)@.*", "$1"));
                for (int i = 0; i < servers.size(); i++) {
                    if (servers.get(i).port() == port) {
                        return i;
                    }
                }
            }
        }
        throw new AssertionError("Nobody has slot " + slot);
    }

    private static boolean isIn(int slot, String range) {
        if (range.startsWith("[")) {
            return false;
        }
        String[] ends = range.split("-");
        return Integer.parseInt(ends[0]) <= slot && slot <= Integer.parseInt(ends[ends.length - 1]);
    }

    /** Lets the cluster give a server's clients that port, behind which there is a proxy; waits until all servers do. */
    public void announce(int number, int port) {
        expectOk(ask(number, "CONFIG SET cluster-announce-port " + port));
        awaitEach("CLUSTER SLOTS", slots -> slots.contains(":" + port));
    }

    /** Marks a slot as being moved from one primary to another: then keys may be moved. */
    public void beginMove(int slot, int from, int to) {
        expectOk(ask(to, "CLUSTER SETSLOT " + slot + " IMPORTING " + id(from)));
        expectOk(ask(from, "CLUSTER SETSLOT " + slot + " MIGRATING " + id(to)));
    }

    /** Moves at most so many keys of the slot; tells whether there were any. */
    public boolean moveKeys(int slot, int from, int to, int count) {
        List<String> keys = ask(from, "CLUSTER GETKEYSINSLOT " + slot + ' ' + count)
                .lines()
                .filter(line -> !line.isEmpty() && line.charAt(0) != '*' && line.charAt(0) != '$')
                .toList();
        if (!keys.isEmpty()) {
            String names = keys.stream().map(key -> '"' + key + '"').collect(Collectors.joining(" "));
            expectOk(ask(from, "MIGRATE 127.0.0.1 " + servers.get(to).port() + " \"\" 0 5000 KEYS " + names));
        }
        return !keys.isEmpty();
    }

    /** Gives the slot to its new primary, and lets all know. */
    public void endMove(int slot, int from, int to) {
        for (int i : List.of(to, from, 0, 1, 2)) {
            expectOk(ask(i, "CLUSTER SETSLOT " + slot + " NODE " + id(to)));
        }
    }

    /** Leaves the slot where it was before {@link #beginMove}; the keys that were moved go back. */
    public void abandonMove(int slot, int from, int to) {
        expectOk(ask(from, "CLUSTER SETSLOT " + slot + " STABLE"));
        while (moveKeys(slot, to, from, 100)) {
            // more
        }
        expectOk(ask(to, "CLUSTER SETSLOT " + slot + " STABLE"));
    }

    private String id(int number) {
        return ask(number, "CLUSTER MYID").lines().skip(1).findFirst().orElseThrow();
    }

    private static void expectOk(String answer) {
        if (!answer.startsWith("+OK") && !answer.startsWith("+NOKEY")) {
            throw new AssertionError(answer);
        }
    }

    private void awaitEach(String command, Predicate<String> expected) {
        for (int i = 0; i < servers.size(); i++) {
            int number = i;
            await(() -> expected.test(ask(number, command)));
        }
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("The Redis Cluster does not become whole");
            }
            RedisServer.pause();
        }
    }

    /** Asks in the inline form of the protocol, and returns the raw answer up to the end of it. */
    private String ask(int number, String command) {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), servers.get(number).port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write((command + "\r\nQUIT\r\n").getBytes(UTF_8));
            String all = new String(socket.getInputStream().readAllBytes(), UTF_8);
            return all.substring(0, all.length() - "+OK\r\n".length());
        } catch (IOException e) {
            throw new AssertionError(command + " failed at server " + number, e);
        }
    }

    @Override
    public void close() {
        servers.forEach(RedisServer::close);
    }
}
