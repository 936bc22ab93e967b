package dev.fanfare.netty.centrifuge;

import dev.fanfare.spi.DeltaEncoder;
import dev.fanfare.spi.FrameEncoder;

/**
 * The encodings of the protocol on each of its transports; a connection keeps to one.
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

    private static final WireFormat COMPRESSED_JSON =
            new WireFormat("websocket/json", new JsonCommands(), new JsonMessages(), WebSocketFraming.COMPRESSED_TEXT);

    private static final WireFormat COMPRESSED_PROTOBUF = new WireFormat(
            "websocket/protobuf", new ProtobufCommands(), new ProtobufMessages(), WebSocketFraming.COMPRESSED_BINARY);

    /** JSON over {@code http_stream}. */
    static final WireFormat STREAM_JSON =
            new WireFormat("http_stream/json", new JsonCommands(), new JsonMessages(), StreamFraming.LINES);

    /** Protobuf over {@code http_stream}. */
    static final WireFormat STREAM_PROTOBUF = new WireFormat(
            "http_stream/protobuf", new ProtobufCommands(), new ProtobufMessages(), StreamFraming.DELIMITED);

    /** JSON as events. */
    static final WireFormat EVENTS =
            new WireFormat("sse/json", new JsonCommands(), new JsonMessages(), StreamFraming.EVENTS);

    private final String transport;
    private final CommandDecoder commands;
    private final MessageEncoder messages;
    private final Framing framing;
    private final FrameEncoder frames;
    private final DeltaEncoder deltas;

    private WireFormat(String transport, CommandDecoder commands, MessageEncoder messages, Framing framing) {
        this.transport = transport;
        this.commands = commands;
        this.messages = messages;
        this.framing = framing;
        this.frames = new SharedFrames(transport, messages, framing, false);
        this.deltas = new SharedFrames(transport, messages, framing, true);
    }

    /** Returns the same over WebSocket, with larger messages compressed. */
    WireFormat compressed() {
        return this == PROTOBUF ? COMPRESSED_PROTOBUF : COMPRESSED_JSON;
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

    Framing framing() {
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
