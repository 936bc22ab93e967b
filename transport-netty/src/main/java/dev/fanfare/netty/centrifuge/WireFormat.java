package dev.fanfare.netty.centrifuge;

import dev.fanfare.spi.DeltaEncoder;
import dev.fanfare.spi.FrameEncoder;

/**
 * The two encodings of the protocol; a connection keeps to one.
 *
 * <p><b>Threading:</b> immutable.
 */
final class WireFormat {

    /** One JSON object per line. */
    static final WireFormat JSON =
            new WireFormat("websocket/json", new JsonCommands(), new JsonMessages(), WebSocketFraming.TEXT);

    /** Protobuf messages, each with its length in front. */
    static final WireFormat PROTOBUF = new WireFormat(
            "websocket/protobuf", new ProtobufCommands(), new ProtobufMessages(), WebSocketFraming.BINARY);

    private final String transport;
    private final CommandDecoder commands;
    private final MessageEncoder messages;
    private final WebSocketFraming framing;
    private final FrameEncoder frames;
    private final DeltaEncoder deltas;

    private WireFormat(String transport, CommandDecoder commands, MessageEncoder messages, WebSocketFraming framing) {
        this.transport = transport;
        this.commands = commands;
        this.messages = messages;
        this.framing = framing;
        this.frames = new WebSocketFrames(transport, messages, framing, false);
        this.deltas = new WebSocketFrames(transport, messages, framing, true);
    }

    /** Returns what hosts see as the connection's transport. */
    String transport() {
        return transport;
    }

    CommandDecoder commands() {
        return commands;
    }

    MessageEncoder messages() {
        return messages;
    }

    WebSocketFraming framing() {
        return framing;
    }

    /** Returns the one encoder that all connections of the format share. */
    FrameEncoder frames() {
        return frames;
    }

    /** Returns the one encoder that all subscriptions of the format with differences share. */
    DeltaEncoder deltas() {
        return deltas;
    }
}
