/**
 * What every connection needs, whatever its protocol: an outlet on a Netty channel, shared buffers,
 * heartbeats, admission, and the settings of the transport. Start at {@link
 * dev.fanfare.netty.connection.TransportContext}. No protocol is spoken here.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.netty.connection;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
