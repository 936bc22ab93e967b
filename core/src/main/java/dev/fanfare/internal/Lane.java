package dev.fanfare.internal;

import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Publication;
import dev.fanfare.Resume;
import dev.fanfare.spi.DeltaEncoder;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.FrameEncoder;
import dev.fanfare.spi.LogLine;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The subscribers that one topic has on one event loop.
 *
 * <p><i>State.</i> The subscribers, and the position up to which this lane has been served. Everything
 * after it is still to come through the lane; everything up to it is in the topic's ring or in the log.
 * That is what makes going live simple: a reader that has everything up to {@link #position} goes live,
 * on this very thread, and can miss nothing.
 *
 * <p><i>Threads.</i> Confined to its loop; only {@link #attached} belongs to the topic's stripe.
 *
 * <p><i>Ordering.</i> What the topic sends arrives in order, through the loop's queue.
 */
final class Lane {

    private static final LogLine UNENCODABLE =
            LogLine.warn(Lane.class, "A publication cannot be sent in a wire format; clients of it are disconnected");

    final Topic topic;
    final LoopQueue queue;
    /** How many subscribers were sent here; owned by the topic's stripe. */
    int attached;
    /** Set by the stripe when the loop's queue refused something; owned by the topic's stripe. */
    boolean isBehind;
    /** How many unlogged publications went past meanwhile; owned by the topic's stripe. */
    long missed;
    /** How many joins and leaves went past meanwhile; owned by the topic's stripe. */
    long missedPresence;

    private Reader[] readers = new Reader[1];
    private int size;
    private Cursor base;
    private @Nullable Publication last;
    /** The ring of the life that this lane is in; the topic may be in the next one already. */
    private Ring life;

    Lane(Topic topic, LoopQueue queue, Cursor position) {
        this.topic = topic;
        this.queue = queue;
        this.base = position;
        this.life = topic.ring();
    }

    /** Tells whether the position may be one that the log does not know any more. */
    boolean isInDoubt() {
        return life != topic.ring() || topic.isInDoubt();
    }

    /** Returns the position up to which this lane has been served. */
    Cursor position() {
        Publication newest = last;
        return newest == null ? base : newest.cursor();
    }

    long offset() {
        Publication newest = last;
        return newest == null ? base.offset() : newest.offset();
    }

    void add(Reader reader) {
        if (size == readers.length) {
            readers = Arrays.copyOf(readers, size * 2);
        }
        reader.place = size;
        readers[size++] = reader;
        topic.readerCount.incrementAndGet();
    }

    void remove(Reader reader) {
        Reader moved = readers[--size];
        readers[reader.place] = moved;
        moved.place = reader.place;
        readers[size] = null;
        reader.place = Reader.NOWHERE;
        topic.readerCount.decrementAndGet();
        topic.left(this);
    }

    /** Returns how many subscribers there are. */
    int size() {
        return size;
    }

    /** Returns one of the subscribers. */
    Reader reader(int place) {
        return readers[place];
    }

    /** Gives a publication to every live subscriber. */
    void deliver(Broadcast broadcast, Publication publication) {
        if (publication.isLogged()) {
            last = publication;
        }
        try {
            queue.serving.serve(this, broadcast, publication);
        } finally {
            broadcast.done();
        }
    }

    /** Gives a join or leave to every live subscriber that wants it. */
    void deliverPresence(Broadcast broadcast) {
        try {
            for (int i = size - 1; i >= 0; i--) {
                Reader reader = readers[i];
                reader.port.guarded(() -> {
                    if (reader.acceptsPresence()) {
                        deliverPresence(broadcast, reader);
                    }
                });
            }
        } finally {
            broadcast.done();
        }
    }

    private void deliverPresence(Broadcast broadcast, Reader reader) {
        Frame frame = encodeOrNull(broadcast, reader.port.outlet().encoder(), false);
        if (frame == null) {
            reader.port.outlet().disconnect(DisconnectReason.INAPPROPRIATE_PROTOCOL);
        } else {
            reader.port.outlet().writePresence(topic.channel, frame);
            reader.port.written();
        }
    }

    /** Tells every subscriber that the run is broken. */
    void reset(Resume.Reset reset, Ring next) {
        life = next;
        base = reset.position();
        last = null;
        for (int i = size - 1; i >= 0; i--) {
            Reader reader = readers[i];
            reader.port.guarded(() -> reader.laneReset(reset));
        }
    }

    /**
     * Takes note that publications went past this lane: logged ones, which its subscribers now fetch by
     * themselves, and a number of unlogged ones and of joins and leaves, of which they are told.
     */
    void skipTo(Cursor position, long missedPublications, long missedPresence) {
        base = position;
        last = null;
        for (int i = size - 1; i >= 0; i--) {
            Reader reader = readers[i];
            reader.port.guarded(() -> reader.passedOver(missedPublications, missedPresence));
        }
    }

    /** Encodes for one subscriber alone, or finds that this format cannot carry it. */
    static @Nullable Frame encodeOrNull(FrameEncoder encoder, ChannelId channel, Publication publication) {
        try {
            return encoder.publication(channel, publication);
        } catch (RuntimeException notInThisFormat) {
            return cannotEncode(encoder, channel, notInThisFormat);
        }
    }

    static @Nullable Frame encodeOrNull(Broadcast broadcast, FrameEncoder encoder, boolean isDifference) {
        try {
            return isDifference ? broadcast.difference((DeltaEncoder) encoder) : broadcast.frame(encoder);
        } catch (RuntimeException notInThisFormat) {
            return cannotEncode(encoder, broadcast.channel, notInThisFormat);
        }
    }

    private static @Nullable Frame cannotEncode(FrameEncoder encoder, ChannelId channel, RuntimeException why) {
        UNENCODABLE.log("channel", channel, "format", encoder, "failure", why);
        return null;
    }
}
