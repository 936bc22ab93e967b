/**
 * Plain server-sent events, for {@code EventSource} and curl: channels in, cursors as event ids. Start at
 * {@link dev.fanfare.netty.sse.SseEndpoint}; the wire is described in {@code docs/PROTOCOL.md}.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.netty.sse;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
