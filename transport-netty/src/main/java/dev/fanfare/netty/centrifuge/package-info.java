/**
 * The Centrifuge client protocol over WebSocket. Three layers, each unaware of the one above: the wire
 * ({@code WireFormat}: commands in, messages out, JSON and Protobuf), the frames ({@code
 * WebSocketFrames}, {@code FrameHandler}), and the conversation ({@code Session}, {@code ClientCommands}).
 * Start at {@link dev.fanfare.netty.centrifuge.CentrifugeUpgrade}.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.netty.centrifuge;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
