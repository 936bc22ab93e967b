package dev.fanfare.netty;

import dev.fanfare.Health;
import dev.fanfare.Rejection;
import dev.fanfare.netty.api.ApiKey;
import dev.fanfare.netty.api.ServerApi;
import dev.fanfare.netty.centrifuge.EmulationEndpoint;
import dev.fanfare.netty.centrifuge.StreamEndpoint;
import dev.fanfare.netty.connection.Entrance;
import dev.fanfare.netty.connection.TransportContext;
import dev.fanfare.netty.connection.TransportSettings;
import dev.fanfare.netty.console.Console;
import dev.fanfare.netty.http.Bodies;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.HttpConnection;
import dev.fanfare.netty.http.HttpLimits;
import dev.fanfare.netty.http.MediaTypes;
import dev.fanfare.netty.http.Origins;
import dev.fanfare.netty.http.Router;
import dev.fanfare.netty.sse.SseEndpoint;
import dev.fanfare.spi.Gateway;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.channels.UnresolvedAddressException;
import java.util.List;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts the parts of a transport together and binds its port. */
final class Startup {

    private static final Logger LOG = LoggerFactory.getLogger(Startup.class);
    private static final int BACKLOG = 4096;
    private static final String CONSOLE = "/console";
    /** Beyond the connections that may be: for probes, the API, and answers that there is no room. */
    private static final int SPARE_CHANNELS = 1024;

    private static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(32 * 1024, 64 * 1024);

    private final NettyTransport.Builder builder;
    private final Gateway gateway;
    private final Origins origins;
    private final TransportSettings settings;
    private final HttpLimits limits;
    private final Bodies bodies;

    Startup(NettyTransport.Builder builder) {
        this.builder = builder;
        this.gateway = builder.fanfare.gateway();
        this.origins = Origins.of(builder.allowedOrigins());
        this.settings = builder.settings(origins.allowed());
        this.limits = HttpLimits.forMessages(settings.maxMessageBytes());
        this.bodies = builder.bodies(limits);
    }

    NettyTransport start() {
        IoLoops loops = IoLoops.start(builder.eventLoopThreads());
        OpenChannels open = new OpenChannels(loops.group().next(), builder.maxConnections() + SPARE_CHANNELS);
        TransportContext context = context(open);
        Router router = routerOrStop(loops, context);
        ChannelFuture bound = bootstrap(loops, open, router).bind(address()).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            loops.stop(1);
            throw failure(bound.cause());
        }
        NettyTransport transport =
                new NettyTransport(gateway, loops, bound.channel(), open, context::unsentBytes, bodies::bytes);
        LOG.atInfo()
                .addKeyValue("address", bound.channel().localAddress())
                .addKeyValue("sockets", loops.name())
                .log("Fanfare listens");
        gateway.transportStarted(settings.maxMessageBytes());
        return transport;
    }

    private Router routerOrStop(IoLoops loops, TransportContext context) {
        try {
            return router(context);
        } catch (RuntimeException wrongRoutes) {
            loops.stop(1);
            throw wrongRoutes;
        }
    }

    private InetSocketAddress address() {
        String host = builder.host();
        return host == null ? new InetSocketAddress(builder.port()) : new InetSocketAddress(host, builder.port());
    }

    private TransportException failure(Throwable cause) {
        String where = (builder.host() == null ? "port " : builder.host() + ":") + builder.port();
        boolean isTaken = cause instanceof BindException
                || String.valueOf(cause.getMessage()).contains("in use");
        String advice = isTaken
                ? "The port is taken, or not yours to take. End what listens there, choose another with port(int), or "
                        + "any free one with port(0)."
                : "Look at host(String) and port(int).";
        String why = cause instanceof UnresolvedAddressException ? "no such host" : String.valueOf(cause.getMessage());
        return new TransportException("Cannot listen on " + where + ": " + why + ". " + advice, cause);
    }

    private ServerBootstrap bootstrap(IoLoops loops, OpenChannels open, Router router) {
        ServerBootstrap bootstrap = new ServerBootstrap();
        loops.configure(bootstrap, builder.unacknowledgedTimeout());
        return bootstrap
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
                .childHandler(pipeline(open, router));
    }

    /** Returns what fits out each channel that comes in. */
    ChannelInitializer<Channel> pipeline(OpenChannels open, Router router) {
        Tls tls = builder.tls();
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                if (!open.add(channel)) {
                    gateway.listener().onReject(Rejection.CONNECTION_LIMIT);
                    channel.close();
                    return;
                }
                if (tls != null) {
                    channel.pipeline().addLast(tls.handler(channel.alloc(), settings.handshakeTimeout()));
                }
                channel.pipeline().addLast(new HttpConnection(router, origins, limits, bodies));
            }
        };
    }

    TransportContext context(OpenChannels open) {
        Entrance entrance = new Entrance(
                gateway, builder.connectRate(), builder.maxConnections(), builder.maxAuthentications(), open::count);
        return new TransportContext(
                gateway, builder.authenticator(), settings, IoLoops.wires(), entrance, builder.unsentLimits());
    }

    Router router(TransportContext context) {
        Entrance entrance = context.entrance();
        Router.Builder router = Router.builder().rejections(gateway.listener()::onReject);
        router.add("GET", "/health/live", new HealthEndpoint(Health::up));
        router.add("GET", "/health/ready", new HealthEndpoint(builder.fanfare::health));
        router.add("GET", "/connection/websocket", new AdmittedEndpoint(entrance, new UpgradeEndpoint(context)));
        addStreams(router, context);
        router.add("GET", "/sse", new AdmittedEndpoint(entrance, new SseEndpoint(context)));
        addApi(router);
        addConsole(router);
        addHostRoutes(router);
        return router.build();
    }

    private static void addStreams(Router.Builder router, TransportContext context) {
        Entrance entrance = context.entrance();
        router.add("POST", "/connection/http_stream", new AdmittedEndpoint(entrance, StreamEndpoint.http(context)));
        Endpoint events = new AdmittedEndpoint(entrance, StreamEndpoint.events(context));
        router.add("GET", "/connection/sse", events);
        router.add("POST", "/connection/sse", events);
        router.add("POST", "/emulation", new EmulationEndpoint(context)); // no new connection
    }

    private void addApi(Router.Builder router) {
        ApiKey key = builder.apiKey();
        if (key == null) {
            return;
        }
        if (key.isOpen()) {
            LOG.atWarn()
                    .log("The server API is OPEN TO EVERYBODY who can reach this port: openApi() was called. "
                            + "Use apiKey(String) for anything but a demonstration");
        }
        new ServerApi(builder.fanfare, key).addTo(router);
    }

    private void addConsole(Router.Builder router) {
        if (!builder.hasConsole()) {
            return;
        }
        ApiKey key = builder.apiKey();
        if (key == null || key.isOpen()) {
            throw new IllegalStateException("console() needs apiKey(String): whoever has the key may look");
        }
        new Console(builder.fanfare, key).addTo(router);
        Endpoint page = new FilesEndpoint(
                CONSOLE + "/",
                new ResourceFile.Folder(Startup.class, "console-site"),
                gateway.hostExecutor(),
                gateway.listener()::onReject,
                List.of(
                        "content-security-policy",
                        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
                                + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                        "referrer-policy",
                        "no-referrer"));
        router.add("GET", CONSOLE + "/*", page);
        router.add("GET", CONSOLE, redirect(CONSOLE + "/"));
    }

    private void addHostRoutes(Router.Builder router) {
        Executor host = gateway.hostExecutor();
        for (NettyTransport.Builder.Route route : builder.routes) {
            router.add(route.method(), route.path(), new RouteEndpoint(route.method(), route.route(), host));
        }
        for (NettyTransport.Builder.Folder folder : builder.folders) {
            router.add(
                    "GET",
                    folder.path() + "*",
                    new FilesEndpoint(folder.path(), folder.files(), host, gateway.listener()::onReject));
            if (folder.path().length() > 1) {
                router.add("GET", folder.path().substring(0, folder.path().length() - 1), redirect(folder.path()));
            }
        }
    }

    private static Endpoint redirect(String path) {
        return exchange -> {
            exchange.begin(308, MediaTypes.JSON, List.of("location", path));
            exchange.end();
        };
    }
}
