package dev.fanfare.netty.http;

import io.netty.util.AsciiString;

/**
 * Names the content types that more than one endpoint answers with.
 *
 * <p><b>Threading:</b> immutable.
 */
public final class MediaTypes {

    /** JSON, which is UTF-8 by definition. */
    public static final AsciiString JSON = AsciiString.cached("application/json");
    /** A stream of events. */
    public static final AsciiString EVENT_STREAM = AsciiString.cached("text/event-stream; charset=utf-8");

    /** Bytes of any kind. */
    public static final AsciiString BYTES = AsciiString.cached("application/octet-stream");

    private MediaTypes() {}
}
