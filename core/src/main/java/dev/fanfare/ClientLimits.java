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
            Rate.of(10, 30), Rate.of(50, 100), Rate.of(50, 256), Rate.of(200, 2_000), 100, 1_000_000, Rate.of(10, 300));
    private static final ClientLimits UNLIMITED = new ClientLimits(
            Rate.unlimited(),
            Rate.unlimited(),
            Rate.unlimited(),
            Rate.unlimited(),
            Integer.MAX_VALUE,
            Integer.MAX_VALUE,
            Rate.unlimited());

    private final Rate publishes;
    private final Rate publishesPerUser;
    private final Rate subscribes;
    private final Rate subscribesPerUser;
    private final int connectionsPerUser;
    private final int connections;
    private final Rate errors;

    private ClientLimits(
            Rate publishes,
            Rate publishesPerUser,
            Rate subscribes,
            Rate subscribesPerUser,
            int connectionsPerUser,
            int connections,
            Rate errors) {
        this.publishes = publishes;
        this.publishesPerUser = publishesPerUser;
        this.subscribes = subscribes;
        this.subscribesPerUser = subscribesPerUser;
        this.connectionsPerUser = connectionsPerUser;
        this.connections = connections;
        this.errors = errors;
    }

    /**
     * Returns the defaults. Per connection: 10 publishes a second after a burst of 30, 50 subscribes after 256, 10
     * errors after 300. Per user: 50 publishes after 100, 200 subscribes after 2,000, 100 connections. In all: 1,000,000
     * connections, of which transports may take fewer.
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
                requireNonNull(rate, "rate"),
                publishesPerUser,
                subscribes,
                subscribesPerUser,
                connectionsPerUser,
                connections,
                errors);
    }

    /** Sets how often all connections of one user together may publish. */
    public ClientLimits withPublishesPerUser(Rate rate) {
        return new ClientLimits(
                publishes,
                requireNonNull(rate, "rate"),
                subscribes,
                subscribesPerUser,
                connectionsPerUser,
                connections,
                errors);
    }

    /** Sets how often one connection may subscribe; the burst must suffice for all its channels when it returns. */
    public ClientLimits withSubscribes(Rate rate) {
        return new ClientLimits(
                publishes,
                publishesPerUser,
                requireNonNull(rate, "rate"),
                subscribesPerUser,
                connectionsPerUser,
                connections,
                errors);
    }

    /** Sets how often all connections of one user together may subscribe. */
    public ClientLimits withSubscribesPerUser(Rate rate) {
        return new ClientLimits(
                publishes,
                publishesPerUser,
                subscribes,
                requireNonNull(rate, "rate"),
                connectionsPerUser,
                connections,
                errors);
    }

    /** Sets how many connections one user may have on this node; at least 1. */
    public ClientLimits withConnectionsPerUser(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("count must be at least 1: " + count);
        }
        return new ClientLimits(publishes, publishesPerUser, subscribes, subscribesPerUser, count, connections, errors);
    }

    /**
     * Sets how many connections there may be on this node, over all its transports; at least 1. Who comes beyond that is
     * told to try again later. It is the last bound: what a transport itself is told to take is refused more cheaply.
     */
    public ClientLimits withConnections(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("count must be at least 1: " + count);
        }
        return new ClientLimits(
                publishes, publishesPerUser, subscribes, subscribesPerUser, connectionsPerUser, count, errors);
    }

    /**
     * Sets how often one connection may get an error for an answer. Beyond that it is closed: with {@link
     * DisconnectReason#TOO_MANY_REQUESTS} if the error was about a rate, else with {@link
     * DisconnectReason#TOO_MANY_ERRORS}.
     */
    public ClientLimits withErrors(Rate rate) {
        return new ClientLimits(
                publishes,
                publishesPerUser,
                subscribes,
                subscribesPerUser,
                connectionsPerUser,
                connections,
                requireNonNull(rate, "rate"));
    }

    /** Returns how often one connection may publish. */
    public Rate publishes() {
        return publishes;
    }

    /** Returns how often one user may publish. */
    public Rate publishesPerUser() {
        return publishesPerUser;
    }

    /** Returns how often one connection may subscribe. */
    public Rate subscribes() {
        return subscribes;
    }

    /** Returns how often one user may subscribe. */
    public Rate subscribesPerUser() {
        return subscribesPerUser;
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
}
