package dev.fanfare.examples.chat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.fanfare.Authorizer;
import dev.fanfare.DeliveryClass;
import dev.fanfare.Fanfare;
import dev.fanfare.FanfareBuilder;
import dev.fanfare.RpcHandler;
import dev.fanfare.RpcHandler.Reply;
import dev.fanfare.netty.NettyTransport;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Puts the chat together, in two steps: {@link #configure} the Fanfare, then {@link #mount} the rest on
 * a transport.
 *
 * <p><b>Threading:</b> thread-safe once it is mounted.
 */
public final class TeamChat {

    /** Namespace of the messages: {@code chat:lobby}. */
    static final String MESSAGES = "chat";
    /** Namespace of "is typing": {@code typing:lobby}. */
    static final String TYPING = "typing";

    private final RoomAccess access = new RoomAccess();
    private final SignIns signIns;
    private volatile @Nullable RpcHandler calls; // set once, by mount()

    private TeamChat(SignIns signIns) {
        this.signIns = signIns;
    }

    /** Makes one. */
    public static TeamChat create() {
        return new TeamChat(new SignIns(Clock.systemUTC()));
    }

    /** Makes one for another node in this process, which knows the same people. */
    public TeamChat onAnotherNode() {
        return new TeamChat(signIns);
    }

    /** Returns who may do what in the chat's namespaces; it refuses everything in others. */
    public Authorizer access() {
        return access;
    }

    /** Adds the chat's namespaces and handlers. */
    @CanIgnoreReturnValue
    public FanfareBuilder configure(FanfareBuilder builder) {
        return builder
                // A message that was written offline may be sent again hours later: it still must not double.
                .namespace(
                        MESSAGES,
                        rules -> rules.retain(50_000, Duration.ofDays(30))
                                .presence()
                                .dedupWindow(Duration.ofHours(24)))
                // Nobody needs to know who was typing a minute ago.
                .namespace(
                        TYPING,
                        rules -> rules.delivery(DeliveryClass.ephemeral()).maxMessageBytes(256))
                .rpcHandler(this::answer)
                .listener(signIns);
    }

    /**
     * Adds the chat's authenticator and HTTP routes, and begins to answer calls.
     *
     * @param fanfare the one that was configured
     */
    @CanIgnoreReturnValue
    public NettyTransport.Builder mount(NettyTransport.Builder transport, Fanfare fanfare) {
        calls = new ChatCalls(fanfare);
        ChatRoutes routes = new ChatRoutes(fanfare, signIns);
        return transport
                .authenticator(signIns)
                .route("POST", "/demo/sign-in", routes::signIn)
                .route("POST", "/demo/sign-out", routes::signOut)
                .route("GET", "/demo/me", routes::me)
                .route("POST", "/demo/cut", routes::cut);
    }

    private CompletionStage<Reply> answer(RpcHandler.Call call) {
        RpcHandler handler = calls;
        return handler == null
                ? CompletableFuture.failedFuture(new IllegalStateException("not mounted yet"))
                : handler.call(call);
    }
}
