package dev.fanfare;

import static java.util.Objects.requireNonNull;

/**
 * Says how much clients may ask for in how short a time, on one node. What the host publishes itself is not limited.
 *
 * <p>What is beyond a rate is refused with {@link Refusal#TOO_MANY_REQUESTS}, which clients take as "later". Limits
 * per user hold for all connections of the user on this node together, and not for anonymous clients.
 *
 * <p><b>Threading:</b> immutable.
 */
public final class ClientLimits {

    private static final ClientLimits STANDARD = new ClientLimits(
            new Pace(Rate.of(10, 30), Rate.of(50, 100)),
            new Pace(Rate.of(50, 256), Rate.of(200, 2_000)),
            new Pace(Rate.of(50, 512), Rate.of(200, 4_000)),
            100,
            1_000_000,
            Rate.of(10, 300));
    private static final ClientLimits UNLIMITED = new ClientLimits(
            Pace.UNLIMITED, Pace.UNLIMITED, Pace.UNLIMITED, Integer.MAX_VALUE, Integer.MAX_VALUE, Rate.unlimited());

    private final Pace publishes;
    private final Pace subscribes;
    private final Pace requests;
    private final int connectionsPerUser;
    private final int connections;
    private final Rate errors;

    private ClientLimits(
            Pace publishes, Pace subscribes, Pace requests, int connectionsPerUser, int connections, Rate errors) {
        this.publishes = publishes;
        this.subscribes = subscribes;
        this.requests = requests;
        this.connectionsPerUser = connectionsPerUser;
        this.connections = connections;
        this.errors = errors;
    }

    /**
     * Returns the defaults. Per connection: 10 publishes a second after a burst of 30, 50 subscribes after 256,
     * 50 requests that read or call after 512, 10 errors after 300. Per user: 50 publishes after 100, 200 subscribes after
     * 2,000, 200 requests after 4,000, 100 connections. In all: 1,000,000 connections, of which transports may take fewer.
     */
    public static ClientLimits standard() {
        return STANDARD;
    }

    /** Returns no limits; for load tests, and behind something that limits. */
    public static ClientLimits unlimited() {
        return UNLIMITED;
    }

    /** Sets how often one connection may publish. */
    public ClientLimits withPublishes(Rate rate) {
        return new ClientLimits(
                publishes.withConnection(rate), subscribes, requests, connectionsPerUser, connections, errors);
    }

    /** Sets how often all connections of one user together may publish. */
    public ClientLimits withPublishesPerUser(Rate rate) {
        return new ClientLimits(
                publishes.withUser(rate), subscribes, requests, connectionsPerUser, connections, errors);
    }

    /** Sets how often one connection may subscribe; the burst must suffice for all its channels when it returns. */
    public ClientLimits withSubscribes(Rate rate) {
        return new ClientLimits(
                publishes, subscribes.withConnection(rate), requests, connectionsPerUser, connections, errors);
    }

    /** Sets how often all connections of one user together may subscribe. */
    public ClientLimits withSubscribesPerUser(Rate rate) {
        return new ClientLimits(
                publishes, subscribes.withUser(rate), requests, connectionsPerUser, connections, errors);
    }

    /**
     * Sets how often one connection may read or call: history, presence, presence stats and rpc, counted together. The
     * burst must suffice for a client that reads all its channels when it begins.
     */
    public ClientLimits withRequests(Rate rate) {
        return new ClientLimits(
                publishes, subscribes, requests.withConnection(rate), connectionsPerUser, connections, errors);
    }

    /** Sets how often all connections of one user together may read or call. */
    public ClientLimits withRequestsPerUser(Rate rate) {
        return new ClientLimits(
                publishes, subscribes, requests.withUser(rate), connectionsPerUser, connections, errors);
    }

    /** Sets how many connections one user may have on this node; at least 1. */
    public ClientLimits withConnectionsPerUser(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("count must be at least 1: " + count);
        }
        return new ClientLimits(publishes, subscribes, requests, count, connections, errors);
    }

    /**
     * Sets how many connections there may be on this node, over all its transports; at least 1. Who comes beyond that is
     * told to try again later. It is the last bound: what a transport itself is told to take is refused more cheaply.
     */
    public ClientLimits withConnections(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("count must be at least 1: " + count);
        }
        return new ClientLimits(publishes, subscribes, requests, connectionsPerUser, count, errors);
    }

    /**
     * Sets how often one connection may get an error for an answer. Beyond that it is closed: with {@link
     * DisconnectReason#TOO_MANY_REQUESTS} if the error was about a rate, else with {@link
     * DisconnectReason#TOO_MANY_ERRORS}.
     */
    public ClientLimits withErrors(Rate rate) {
        return new ClientLimits(
                publishes, subscribes, requests, connectionsPerUser, connections, requireNonNull(rate, "rate"));
    }

    /** Returns how often one connection may publish. */
    public Rate publishes() {
        return publishes.ofConnection;
    }

    /** Returns how often one user may publish. */
    public Rate publishesPerUser() {
        return publishes.ofUser;
    }

    /** Returns how often one connection may subscribe. */
    public Rate subscribes() {
        return subscribes.ofConnection;
    }

    /** Returns how often one user may subscribe. */
    public Rate subscribesPerUser() {
        return subscribes.ofUser;
    }

    /** Returns how often one connection may read or call. */
    public Rate requests() {
        return requests.ofConnection;
    }

    /** Returns how often one user may read or call. */
    public Rate requestsPerUser() {
        return requests.ofUser;
    }

    /** Returns how many connections one user may have. */
    public int connectionsPerUser() {
        return connectionsPerUser;
    }

    /** Returns how many connections there may be on this node. */
    public int connections() {
        return connections;
    }

    /** Returns how often one connection may get an error. */
    public Rate errors() {
        return errors;
    }

    /** How often one connection, and all of a user's together, may do one kind of thing. */
    private record Pace(Rate ofConnection, Rate ofUser) {

        static final Pace UNLIMITED = new Pace(Rate.unlimited(), Rate.unlimited());

        Pace withConnection(Rate rate) {
            return new Pace(requireNonNull(rate, "rate"), ofUser);
        }

        Pace withUser(Rate rate) {
            return new Pace(ofConnection, requireNonNull(rate, "rate"));
        }
    }
}
