package dev.fanfare.netty;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Authenticator;
import dev.fanfare.Fanfare;
import dev.fanfare.Rate;
import dev.fanfare.netty.api.ApiKey;
import dev.fanfare.netty.connection.AllowedOrigins;
import dev.fanfare.netty.connection.TransportSettings;
import dev.fanfare.netty.connection.UnsentLimits;
import dev.fanfare.netty.http.Bodies;
import dev.fanfare.netty.http.HttpLimits;
import dev.fanfare.spi.Gateway;
import io.netty.channel.Channel;
import io.netty.util.concurrent.EventExecutor;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets clients reach a {@link Fanfare} over one port: WebSocket, server-sent events, an HTTP API, and
 * the host's own routes and files.
 *
 * <pre>{@code
 * NettyTransport transport = NettyTransport.builder(fanfare)
 *         .port(8080)
 *         .authenticator(tokens)
 *         .start();
 * }</pre>
 *
 * <p>To read on: {@code Startup} puts the parts together, {@code http.Router} finds who answers a request, and the
 * packages {@code centrifuge}, {@code sse} and {@code api} are those who do; {@code connection.ChannelOutlet} is where
 * the core's frames become bytes on a socket.
 *
 * <p>It speaks HTTP/1.1, with TLS if it is given a certificate.
 *
 * <p><b>Lifecycle:</b> works from {@link Builder#start} until {@link #close}. To shut down, close the
 * Fanfare first, which tells clients to come back later, then the transport.
 *
 * <p><b>Threading:</b> thread-safe.
 */
public final class NettyTransport implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(NettyTransport.class);
    private static final int FAREWELL_SECONDS = 2;
    private static final int LOOPS_SECONDS = 5;

    private final Gateway gateway;
    private final IoLoops loops;
    private final Channel listening;
    private final OpenChannels open;
    private final LongSupplier unsentBytes;
    private final Runnable uncount;
    private final LongSupplier requestBytes;
    private final int port;
    private final AtomicBoolean isClosed = new AtomicBoolean();

    NettyTransport(
            Gateway gateway,
            IoLoops loops,
            Channel listening,
            OpenChannels open,
            LongSupplier unsentBytes,
            LongSupplier requestBytes) {
        this.unsentBytes = unsentBytes;
        this.uncount = gateway.countUnsent(unsentBytes);
        this.requestBytes = requestBytes;
        this.gateway = gateway;
        this.loops = loops;
        this.listening = listening;
        this.open = open;
        this.port = ((InetSocketAddress) listening.localAddress()).getPort();
    }

    /** Starts building a transport for that Fanfare. */
    public static Builder builder(Fanfare fanfare) {
        return new Builder(requireNonNull(fanfare, "fanfare"));
    }

    /** Returns the port on which it listens, or listened. */
    public int port() {
        return port;
    }

    /**
     * Returns how many bytes wait for clients that read more slowly than they are sent to, over all; see {@link
     * Builder#maxUnsentBytes}. {@code Fanfare.stats()} has the sum over its transports.
     */
    public long unsentBytes() {
        return unsentBytes.getAsLong();
    }

    /** Returns how many bytes of bodies of HTTP requests are held; see {@link Builder#maxRequestBytes}. */
    public long requestBytes() {
        return requestBytes.getAsLong();
    }

    /** Returns how many accepted connections are open. */
    int openChannels() {
        return open.count();
    }

    /**
     * Stops accepting, closes all connections, streams with {@link
     * dev.fanfare.DisconnectReason#SHUTDOWN}, and ends the event loops. Requests that are being answered
     * get two seconds; the whole takes ten at most.
     *
     * @throws IllegalStateException if called from one of its own event loops, or from a route or another callback
     *     of its Fanfare
     */
    @Override
    public void close() {
        if (gateway.isInCallback()) {
            throw new IllegalStateException("close() waits for callbacks, so it must not be called from one");
        }
        for (EventExecutor loop : loops.group()) {
            if (loop.inEventLoop()) {
                throw new IllegalStateException("close() waits for the event loops and must not run on one");
            }
        }
        if (!isClosed.compareAndSet(false, true)) {
            return;
        }
        listening.close().awaitUninterruptibly(FAREWELL_SECONDS, TimeUnit.SECONDS);
        open.close(FAREWELL_SECONDS);
        loops.stop(LOOPS_SECONDS);
        uncount.run();
        LOG.atInfo().addKeyValue("port", port).log("Fanfare no longer listens");
    }

    /**
     * Builds a {@link NettyTransport}; each setter checks its argument at once, and may be called once.
     *
     * <p><b>Threading:</b> not thread-safe.
     */
    public static final class Builder {

        private static final int DEFAULT_PORT = 8080;
        private static final Rate CONNECT_RATE = Rate.of(2_000, 5_000);
        private static final int MAX_CONNECTIONS = 100_000;
        private static final int MAX_AUTHENTICATIONS = 1_000;
        private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

        final Fanfare fanfare;
        final List<Route> routes = new ArrayList<>();
        final List<Folder> folders = new ArrayList<>();
        private @Nullable Integer port;
        private @Nullable String host;
        private @Nullable Authenticator authenticator;
        private @Nullable ApiKey apiKey;
        private @Nullable List<String> allowedOrigins;
        private @Nullable Integer eventLoopThreads;
        private @Nullable Tls tls;
        private @Nullable Boolean compression;
        private @Nullable Integer maxMessageBytes;
        private @Nullable Duration pingInterval;
        private @Nullable Duration pongTimeout;
        private @Nullable Duration handshakeTimeout;
        private @Nullable Duration writeTimeout;
        private @Nullable Long maxUnsentBytes;
        private @Nullable Long maxRequestBytes;
        private boolean hasConsole;
        private @Nullable Rate connectRate;
        private @Nullable Integer maxConnections;
        private @Nullable Integer maxAuthentications;

        private Builder(Fanfare fanfare) {
            this.fanfare = fanfare;
        }

        /** Sets the port, 0 to 65,535; 0 takes any that is free; default 8080. */
        @CanIgnoreReturnValue
        public Builder port(int port) {
            if (port < 0 || port > 65_535) {
                throw new IllegalArgumentException("port must be in [0, 65535]: " + port);
            }
            this.port = once(this.port, port, "port");
            return this;
        }

        /** Sets the address to listen on, a name or a number; default: all of this machine. */
        @CanIgnoreReturnValue
        public Builder host(String host) {
            if (host.isBlank()) {
                throw new IllegalArgumentException("host must not be blank");
            }
            this.host = once(this.host, host, "host");
            return this;
        }

        /**
         * Sets who finds out who clients are; default {@link Authenticator#anonymous()}. What they may do
         * is for the {@link dev.fanfare.Authorizer}, without which they may do nothing.
         */
        @CanIgnoreReturnValue
        public Builder authenticator(Authenticator authenticator) {
            this.authenticator = once(this.authenticator, authenticator, "authenticator");
            return this;
        }

        /**
         * Switches the server API on, for callers that show the key in {@code X-API-Key}. Default: there is
         * no server API. Whoever has the key may publish to, read and cut everything.
         *
         * @param key at least 1 character; take 20 random ones
         */
        @CanIgnoreReturnValue
        public Builder apiKey(String key) {
            this.apiKey = once(this.apiKey, ApiKey.of(key), "apiKey or openApi");
            return this;
        }

        /**
         * <b>Opens the server API to everybody who can reach the port, without any key: to publish to every
         * channel, to read its history, to disconnect any user.</b> For demonstrations and benchmarks on a
         * machine of your own, never for anything that others can reach. {@link #start} logs a warning.
         */
        @CanIgnoreReturnValue
        public Builder openApi() {
            this.apiKey = once(this.apiKey, ApiKey.none(), "apiKey or openApi");
            return this;
        }

        /**
         * Lets pages of other servers connect and read; default: only pages of this very host and port may.
         *
         * @param origins such as {@code https://app.example}; {@code *} stands for any characters
         */
        @CanIgnoreReturnValue
        public Builder allowedOrigins(String... origins) {
            this.allowedOrigins = once(this.allowedOrigins, List.of(origins), "allowedOrigins");
            return this;
        }

        /**
         * Adds a route of the host's own.
         *
         * @param method such as {@code GET}, which answers {@code HEAD} as well; {@code *} for every method
         * @param path such as {@code /orders}, matched exactly; {@code /orders/*} matches everything below
         */
        @CanIgnoreReturnValue
        public Builder route(String method, String path, HttpRoute route) {
            requireNonNull(route, "route");
            if (method.isEmpty() || !method.equals(method.toUpperCase(Locale.ROOT))) {
                throw new IllegalArgumentException("method must be in upper case: " + method);
            }
            routes.add(new Route(method, checkedPath(path), route));
            return this;
        }

        /**
         * Serves a folder of the class path, with {@code index.html} for the folder itself. Files are read
         * once and kept in memory.
         *
         * @param path such as {@code /assets}, below which the files appear; {@code /} for all that is not
         *     something else
         * @param anchor a class of the host; the folder is looked up as {@link Class#getResource} does. In a
         *     named module the folder must not be named like a package, or that package must be open
         * @param folder such as {@code site} beside the class, or {@code /site} at the root of the class path
         */
        @CanIgnoreReturnValue
        public Builder files(String path, Class<?> anchor, String folder) {
            requireNonNull(anchor, "anchor");
            String clean = folder.endsWith("/") ? folder.substring(0, folder.length() - 1) : folder;
            if (clean.isEmpty() || clean.contains("..")) {
                throw new IllegalArgumentException("folder must name a folder other than the root: " + folder);
            }
            String checked = checkedPath(path);
            String withSlash = checked.endsWith("/") ? checked : checked + "/";
            folders.add(new Folder(withSlash, new ResourceFile.Folder(anchor, clean)));
            return this;
        }

        /**
         * Serves a page at {@code /console/} on which a person sees what this node is doing: connections, channels with
         * their rates and readers, what went wrong; and can publish. Needs {@link #apiKey}, for which the page asks.
         * Default: there is no such page.
         */
        @CanIgnoreReturnValue
        public Builder console() {
            hasConsole = true;
            return this;
        }

        /**
         * Answers {@code GET /metrics} with what the supplier tells, in the text format of Prometheus; it is called
         * on the host executor. Whoever reaches the port may read it, so let a proxy keep the path from outside.
         *
         * @param text such as {@code registry::scrape} of a {@code PrometheusMeterRegistry}
         */
        @CanIgnoreReturnValue
        public Builder metrics(Supplier<String> text) {
            requireNonNull(text, "text");
            return route("GET", "/metrics", call -> {
                byte[] body = text.get().getBytes(StandardCharsets.UTF_8);
                return CompletableFuture.completedFuture(HttpAnswer.bytes(200, PROMETHEUS, body));
            });
        }

        /**
         * Sets how often clients may begin a connection on this node, WebSocket and event streams together. Beyond
         * that they get 503 with a {@code Retry-After} of their own before anything else is done for them. Default:
         * 2,000 a second after a burst of 5,000.
         */
        @CanIgnoreReturnValue
        public Builder connectRate(Rate rate) {
            this.connectRate = once(this.connectRate, rate, "connectRate");
            return this;
        }

        /**
         * Sets how many connections this node takes, 1 to 10 million; beyond it clients get 503. Default 100,000; the
         * process needs as many file descriptors.
         */
        @CanIgnoreReturnValue
        public Builder maxConnections(int count) {
            this.maxConnections = once(this.maxConnections, checkedCount(count), "maxConnections");
            return this;
        }

        /**
         * Sets how many clients may wait for the authenticator at a time, 1 to 10 million; beyond it they get 503, or
         * error 111. Default 1,000.
         */
        @CanIgnoreReturnValue
        public Builder maxAuthentications(int count) {
            this.maxAuthentications = once(this.maxAuthentications, checkedCount(count), "maxAuthentications");
            return this;
        }

        /** Sets how many threads do the I/O, 1 to 1,024; default: as many as there are processors. */
        @CanIgnoreReturnValue
        public Builder eventLoopThreads(int threads) {
            if (threads < 1 || threads > 1024) {
                throw new IllegalArgumentException("threads must be in [1, 1024]: " + threads);
            }
            this.eventLoopThreads = once(this.eventLoopThreads, threads, "eventLoopThreads");
            return this;
        }

        /** Speaks TLS, and nothing else, on the port; keep the {@link Tls} to renew its certificate. */
        @CanIgnoreReturnValue
        public Builder tls(Tls tls) {
            this.tls = once(this.tls, tls, "tls");
            return this;
        }

        /**
         * Compresses larger WebSocket messages for clients that can, and takes theirs compressed
         * (permessage-deflate, RFC 7692, each message for itself). Default: off, because it costs more CPU than
         * it is worth where bytes are cheap, and lets whoever can have a text of theirs sent along with a secret
         * one, in one message, find out about the secret by the length. A publication is compressed once.
         */
        @CanIgnoreReturnValue
        public Builder compression() {
            this.compression = once(this.compression, true, "compression");
            return this;
        }

        /**
         * Sets the largest message that a client may send, 1 KiB to 16 MiB; default 64 KiB. A larger one closes
         * a WebSocket (1009), and is answered 413 elsewhere. It is about whole messages, whatever is in them; how large a
         * publication may be is for the rules to say ({@link dev.fanfare.ChannelRules.Builder#maxMessageBytes}), and those
         * should not allow more than this.
         */
        @CanIgnoreReturnValue
        public Builder maxMessageBytes(int bytes) {
            if (bytes < 1024 || bytes > 16 * 1024 * 1024) {
                throw new IllegalArgumentException("bytes must be in [1024, 16777216]: " + bytes);
            }
            this.maxMessageBytes = once(this.maxMessageBytes, bytes, "maxMessageBytes");
            return this;
        }

        /** Sets how often a connection is pinged, 1 second to 1 hour; default 25 seconds. */
        @CanIgnoreReturnValue
        public Builder pingInterval(Duration interval) {
            this.pingInterval = once(this.pingInterval, checkedTime(interval, "interval"), "pingInterval");
            return this;
        }

        /** Sets how soon a client must answer a ping, 1 second or more, and less than the interval; default 8 seconds. */
        @CanIgnoreReturnValue
        public Builder pongTimeout(Duration timeout) {
            this.pongTimeout = once(this.pongTimeout, checkedTime(timeout, "timeout"), "pongTimeout");
            return this;
        }

        /**
         * Sets how soon TLS must be agreed upon, then a client have introduced itself, and then its authenticator
         * have answered, 1 second to 1 hour each; default 10 seconds.
         */
        @CanIgnoreReturnValue
        public Builder handshakeTimeout(Duration timeout) {
            this.handshakeTimeout = once(this.handshakeTimeout, checkedTime(timeout, "timeout"), "handshakeTimeout");
            return this;
        }

        /**
         * Sets how long a client may take nothing of what waits for it, 1 second to 1 hour; default 30 seconds. Then it
         * is cut off with {@link dev.fanfare.DisconnectReason#SLOW}, and goes on from its cursor when it comes back.
         *
         * <p>A client whose network acknowledges nothing for four times as long is gone, and counts as {@link
         * dev.fanfare.DisconnectReason#BY_CLIENT}. That ends event streams, which are asked for no pong; it needs Linux
         * and Netty's native library for epoll, without which the kernel takes a quarter of an hour.
         */
        @CanIgnoreReturnValue
        public Builder writeTimeout(Duration timeout) {
            this.writeTimeout = once(this.writeTimeout, checkedTime(timeout, "timeout"), "writeTimeout");
            return this;
        }

        /**
         * Sets how many bytes may wait for clients that do not read, 1 MiB or more, of all connections together; each
         * event loop has its share. What waits for one is bounded anyway, at somewhat more than 100 KiB. Beyond this,
         * those are cut off with {@link dev.fanfare.DisconnectReason#SLOW} for whom most waits. Default: a quarter of
         * the largest heap.
         */
        @CanIgnoreReturnValue
        public Builder maxUnsentBytes(long bytes) {
            if (bytes < 1 << 20) {
                throw new IllegalArgumentException("bytes must be at least 1048576: " + bytes);
            }
            this.maxUnsentBytes = once(this.maxUnsentBytes, bytes, "maxUnsentBytes");
            return this;
        }

        /**
         * Sets how many bytes of bodies of HTTP requests may be held until they are answered, 1 MiB or more, of all
         * connections together. Those of requests to {@link #route routes} are held until the route's stage completes,
         * whether or not the client still waits. Beyond it, requests with a body get 503 with a {@code Retry-After}, as soon as their head
         * is there if it says how long the body is. Default: an eighth of the largest heap, or room for four of the
         * largest bodies if that is more.
         */
        @CanIgnoreReturnValue
        public Builder maxRequestBytes(long bytes) {
            if (bytes < 1 << 20) {
                throw new IllegalArgumentException("bytes must be at least 1048576: " + bytes);
            }
            this.maxRequestBytes = once(this.maxRequestBytes, bytes, "maxRequestBytes");
            return this;
        }

        /**
         * Binds the port and begins to accept.
         *
         * @throws TransportException if it cannot listen there
         * @throws IllegalArgumentException if the time for a pong is not less than the time between pings, or one largest
         *     body has no room among all
         * @throws IllegalStateException if two routes have the same method and path
         */
        public NettyTransport start() {
            return new Startup(this).start();
        }

        int port() {
            return port == null ? DEFAULT_PORT : port;
        }

        @Nullable
        String host() {
            return host;
        }

        Authenticator authenticator() {
            return authenticator == null ? Authenticator.anonymous() : authenticator;
        }

        @Nullable
        ApiKey apiKey() {
            return apiKey;
        }

        List<String> allowedOrigins() {
            return allowedOrigins == null ? List.of() : allowedOrigins;
        }

        boolean hasConsole() {
            return hasConsole;
        }

        Rate connectRate() {
            return connectRate == null ? CONNECT_RATE : connectRate;
        }

        int maxConnections() {
            return maxConnections == null ? MAX_CONNECTIONS : maxConnections;
        }

        int maxAuthentications() {
            return maxAuthentications == null ? MAX_AUTHENTICATIONS : maxAuthentications;
        }

        private static int checkedCount(int count) {
            if (count < 1 || count > 10_000_000) {
                throw new IllegalArgumentException("count must be in [1, 10000000]: " + count);
            }
            return count;
        }

        int eventLoopThreads() {
            return eventLoopThreads == null ? Runtime.getRuntime().availableProcessors() : eventLoopThreads;
        }

        @Nullable
        Tls tls() {
            return tls;
        }

        TransportSettings settings(AllowedOrigins origins) {
            TransportSettings standard = TransportSettings.defaults();
            return new TransportSettings(
                    requireNonNullElse(pingInterval, standard.pingInterval()),
                    requireNonNullElse(pongTimeout, standard.pongTimeout()),
                    requireNonNullElse(handshakeTimeout, standard.handshakeTimeout()),
                    requireNonNullElse(maxMessageBytes, standard.maxMessageBytes()),
                    origins,
                    requireNonNullElse(compression, standard.compresses()));
        }

        UnsentLimits unsentLimits() {
            int loops = eventLoopThreads();
            UnsentLimits standard = UnsentLimits.defaults(loops);
            return new UnsentLimits(
                    requireNonNullElse(writeTimeout, standard.patience()),
                    maxUnsentBytes == null ? standard.maxBytes() : maxUnsentBytes / loops);
        }

        Bodies bodies(HttpLimits limits) {
            long largest = limits.maxBodyBytes();
            if (maxRequestBytes != null && maxRequestBytes < largest) {
                throw new IllegalArgumentException(
                        "maxRequestBytes must be at least the largest body, " + largest + ": " + maxRequestBytes);
            }
            long standard = Math.max(Runtime.getRuntime().maxMemory() / 8, 4 * largest);
            return new Bodies(requireNonNullElse(maxRequestBytes, standard));
        }

        /** Longer than what the transport waits itself, so that it is the one to say why where it can. */
        Duration unacknowledgedTimeout() {
            return unsentLimits().patience().multipliedBy(4);
        }

        private static Duration checkedTime(Duration time, String name) {
            if (time.compareTo(Duration.ofSeconds(1)) < 0 || time.compareTo(Duration.ofHours(1)) > 0) {
                throw new IllegalArgumentException(name + " must be in [1 s, 1 h]: " + time);
            }
            return time;
        }

        private static String checkedPath(String path) {
            if (!path.startsWith("/") || path.indexOf('?') >= 0) {
                throw new IllegalArgumentException("path must begin with '/' and have no query: " + path);
            }
            return path;
        }

        private static <T> T once(@Nullable T present, T value, String name) {
            requireNonNull(value, name);
            if (present != null) {
                throw new IllegalStateException(name + " is set already");
            }
            return value;
        }

        /** A route of the host. */
        record Route(String method, String path, HttpRoute route) {}

        /** A folder to serve below a path that ends with a slash. */
        record Folder(String path, ResourceFile.Folder files) {}
    }
}
