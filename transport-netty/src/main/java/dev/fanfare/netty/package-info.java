/**
 * WebSocket, server-sent events and HTTP for Fanfare, on Netty. Start at {@link
 * dev.fanfare.netty.NettyTransport}.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.netty;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
