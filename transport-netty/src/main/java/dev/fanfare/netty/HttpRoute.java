package dev.fanfare.netty;

import java.util.concurrent.CompletionStage;

/**
 * Answers HTTP requests of the host's own; see {@link NettyTransport.Builder#route}.
 *
 * <p><b>Threading:</b> called on the host executor, concurrently; it may block there, and may call back
 * into Fanfare. If it throws, or answers with null or a failed stage, the client gets a 500 without
 * details and the failure is logged; if the stage takes longer than 30 seconds, a 503. The stage may
 * complete on any thread. Until it does, the request's body counts as held ({@link NettyTransport#requestBytes}), also
 * when the client is gone or got its 503; so every stage should complete in the end.
 */
@FunctionalInterface
public interface HttpRoute {

    /** Answers one request. */
    CompletionStage<HttpAnswer> handle(HttpCall call);
}
