package dev.fanfare.netty.centrifuge;

import dev.fanfare.spi.DeltaEncoder;
import dev.fanfare.spi.FrameEncoder;

/**
 * The encodings of the protocol on each of its transports; a connection keeps to one. Those that compress belong to one
 * transport, as its compressors do.
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

    /** Returns {@link #JSON} with larger messages compressed. */
    static WireFormat compressedJson(Deflate deflate) {
        return new WireFormat(
                JSON.transport, JSON.commands, JSON.messages, new CompressedFraming(WebSocketFraming.TEXT, deflate));
    }

    /** Returns {@link #PROTOBUF} with larger messages compressed. */
    static WireFormat compressedProtobuf(Deflate deflate) {
        return new WireFormat(
                PROTOBUF.transport,
                PROTOBUF.commands,
                PROTOBUF.messages,
                new CompressedFraming(WebSocketFraming.BINARY, deflate));
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
