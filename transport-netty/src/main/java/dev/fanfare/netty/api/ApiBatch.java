package dev.fanfare.netty.api;

import dev.fanfare.ClosedException;
import dev.fanfare.Payload;
import dev.fanfare.netty.http.JsonText;
import dev.fanfare.netty.http.RequestRefused;
import dev.fanfare.spi.TimeSource;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Several commands in one request, done one after the other, each begun when the one before it is answered.
 *
 * <p><i>Bounds.</i> When the replies have grown to {@link #MAX_REPLY_BYTES}, or {@link #PATIENCE} is over, the
 * commands that are left are not begun, and their replies say so.
 *
 * <p><b>Threading:</b> confined to the event loop.
 */
final class ApiBatch {

    private static final Logger LOG = LoggerFactory.getLogger(ApiBatch.class);
    private static final int MAX_REPLY_BYTES = 8 * 1024 * 1024;
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final String RESULT = "{\"result\":";

    private final Map<String, ApiMethods.Method> methods;
    private final TimeSource time;
    private final EventLoop loop;
    private final Deque<Command> left;
    private final Consumer<ByteBuf> whenDone;
    private final ByteBuf replies = Unpooled.buffer(256);
    private final long deadline;
    private boolean isLooping;
    private boolean isAnswered;

    private ApiBatch(
            Map<String, ApiMethods.Method> methods,
            TimeSource time,
            EventLoop loop,
            List<Command> commands,
            Consumer<ByteBuf> whenDone) {
        this.methods = methods;
        this.time = time;
        this.loop = loop;
        this.left = new ArrayDeque<>(commands);
        this.whenDone = whenDone;
        this.deadline = time.nanos() + PATIENCE.toNanos();
        JsonText.raw(replies, "{\"replies\":[");
    }

    /**
     * Does them.
     *
     * @param whenDone gets the reply, on the loop
     */
    static void run(
            Map<String, ApiMethods.Method> methods,
            TimeSource time,
            EventLoop loop,
            List<Command> commands,
            Consumer<ByteBuf> whenDone) {
        new ApiBatch(methods, time, loop, commands, whenDone).goOn();
    }

    /** Begins one after the other; what is answered at once costs no depth of the stack. */
    private void goOn() {
        isAnswered = true;
        if (isLooping) {
            return;
        }
        isLooping = true;
        while (isAnswered) {
            isAnswered = false;
            Command next = left.poll();
            if (next == null) {
                JsonText.raw(replies, "]}");
                whenDone.accept(replies);
            } else {
                begin(next);
            }
        }
        isLooping = false;
    }

    private void begin(Command command) {
        try {
            ApiMethods.Method method = methods.get(command.method());
            if (method == null) {
                reply(command, out -> ApiReply.error(out, new ApiError(104, "method not found", false, null)));
            } else if (replies.writerIndex() > MAX_REPLY_BYTES || time.nanos() - deadline > 0) {
                reply(command, out -> ApiReply.error(out, new ApiError(106, "limit exceeded: not done", true, null)));
            } else {
                method.call(ApiRequest.parse(command.arguments().unsafeBytes())).whenDone((reply, failure) -> {
                    if (loop.inEventLoop()) {
                        reply(command, reply);
                    } else {
                        loop.execute(() -> reply(command, reply));
                    }
                });
            }
        } catch (RequestRefused refused) {
            reply(command, out -> ApiReply.error(out, new ApiError(refused.code(), refused.text(), false, null)));
        } catch (ClosedException closed) {
            reply(command, out -> ApiReply.error(out, ApiError.CLOSED));
        } catch (RuntimeException broken) {
            LOG.error("A command of a batch failed: {}; this is a bug in Fanfare", command.method(), broken);
            reply(command, out -> ApiReply.error(out, new ApiError(100, "internal server error", true, null)));
        }
    }

    /** Writes a reply, in which the method's name takes the place of {@code result}. */
    private void reply(Command command, Consumer<ByteBuf> writer) {
        if (replies.getByte(replies.writerIndex() - 1) != '[') {
            replies.writeByte(',');
        }
        ByteBuf reply = Unpooled.buffer(64);
        writer.accept(reply);
        if (startsWithResult(reply)) {
            reply.skipBytes(RESULT.length());
            replies.writeByte('{');
            JsonText.string(replies, command.method());
            replies.writeByte(':');
        }
        replies.writeBytes(reply);
        goOn();
    }

    private static boolean startsWithResult(ByteBuf reply) {
        for (int i = 0; i < RESULT.length(); i++) {
            if (i >= reply.writerIndex() || reply.getByte(i) != RESULT.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /**
     * One command.
     *
     * @param method the method's name
     * @param arguments a JSON object
     */
    record Command(String method, Payload arguments) {}
}
