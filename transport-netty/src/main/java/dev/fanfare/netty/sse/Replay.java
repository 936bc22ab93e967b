package dev.fanfare.netty.sse;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Publication;
import dev.fanfare.Resume;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the channels of a stream begin with, resets and missed publications, to be written piece by piece.
 * Until it is its turn, a publication is only referred to: the log's own object, shared with whoever else
 * missed it.
 *
 * <p><b>Threading:</b> confined to the channel's event loop.
 */
final class Replay {

    private final SseEncoder encoder;
    private final @Nullable Positions positions;
    private final Deque<Beginning> toCome;
    private Iterator<Publication> missed = List.<Publication>of().iterator();
    private @Nullable Beginning current;

    /** Replays for one connection; {@code positions} is null if the encoder writes the ids. */
    Replay(List<Beginning> beginnings, SseEncoder encoder, @Nullable Positions positions) {
        this.toCome = new ArrayDeque<>(beginnings);
        this.encoder = encoder;
        this.positions = positions;
    }

    /** Tells whether all is written. */
    boolean isOver() {
        return current == null && toCome.isEmpty();
    }

    /** Goes on until the buffer has that many bytes, or a little more, or all is written. */
    void writeTo(ByteBuf out, int enough) {
        while (!isOver() && out.readableBytes() < enough) {
            Beginning beginning = current;
            if (beginning == null) {
                begin(out, toCome.remove());
            } else if (missed.hasNext()) {
                write(out, beginning.channel(), missed.next());
            } else {
                end(beginning);
            }
        }
    }

    private void begin(ByteBuf out, Beginning beginning) {
        current = beginning;
        missed = beginning.result().missed().iterator();
        if (beginning.result().resume() instanceof Resume.Reset reset) {
            Cursor position = beginning.stamp();
            if (position != null) {
                stamp(out, beginning.channel(), position);
            }
            SseText.reset(out, beginning.channel(), reset.reason(), position);
        }
    }

    private void write(ByteBuf out, ChannelId channel, Publication publication) {
        if (positions != null && publication.isLogged()) {
            stamp(out, channel, publication.cursor());
        }
        encoder.write(out, channel, publication);
    }

    private void end(Beginning beginning) {
        if (positions != null && beginning.result().isRetained()) {
            positions.move(beginning.channel(), beginning.result().position());
        }
        current = null;
    }

    private void stamp(ByteBuf out, ChannelId channel, Cursor position) {
        if (positions == null) {
            SseText.id(out, position);
        } else {
            positions.move(channel, position);
            positions.write(out);
        }
    }
}
