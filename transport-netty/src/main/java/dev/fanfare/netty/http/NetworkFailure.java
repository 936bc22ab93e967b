package dev.fanfare.netty.http;

import io.netty.handler.codec.DecoderException;
import java.io.IOException;

/**
 * Tells what the network or the peer did to a channel apart from what only a bug can do.
 *
 * <p><b>Threading:</b> has no state.
 */
public final class NetworkFailure {

    private NetworkFailure() {}

    /** Tells whether it is a connection that broke, or one on which what came is no TLS any more. */
    public static boolean is(Throwable failure) {
        return failure instanceof IOException
                || (failure instanceof DecoderException && failure.getCause() instanceof IOException);
    }
}
