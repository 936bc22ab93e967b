package dev.fanfare.netty.centrifuge;

import dev.fanfare.Authenticator;
import java.util.Map;

/**
 * What the HTTP request told of a client; kept until it connects.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param headers names in lower case, the first value of each
 * @param query the first value of each parameter
 * @param remoteAddress the peer's address
 */
record Handshake(Map<String, String> headers, Map<String, String> query, String remoteAddress) {

    /** Returns what to show the authenticator. */
    Authenticator.Credentials credentials(Request.Connect request, WireFormat format) {
        return new Authenticator.Credentials(
                request.token(), request.data(), headers, query, remoteAddress, format.transport());
    }
}
