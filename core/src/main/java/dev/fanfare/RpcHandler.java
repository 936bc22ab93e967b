package dev.fanfare;

import java.util.concurrent.CompletionStage;

/**
 * Answers calls that clients make over their connection; implemented by the host.
 *
 * <p><b>Threading:</b> called on the host executor, concurrently, also for one connection; it may
 * block there and may call back into Fanfare. If it throws, or answers with null or a failed stage,
 * the client gets a temporary internal error; also if the answer is not there after ten seconds, and one that
 * comes later is dropped.
 */
@FunctionalInterface
public interface RpcHandler {

    /** Answers one call. */
    CompletionStage<Reply> call(Call call);

    /**
     * One call.
     *
     * @param connection who calls
     * @param method the method's name, perhaps {@code ""}
     * @param data what the client sent
     */
    record Call(ConnectionInfo connection, String method, Payload data) {}

    /** The answer. */
    sealed interface Reply {
        /**
         * Success.
         *
         * @param data what the client gets
         */
        record Ok(Payload data) implements Reply {}

        /**
         * Failure that the client is told of.
         *
         * @param code 400 to 1999
         * @param message for the client
         */
        record Failed(int code, String message) implements Reply {
            /** Checks the code. */
            public Failed {
                if (code < 400 || code > 1999) {
                    throw new IllegalArgumentException("code must be in [400, 1999]: " + code);
                }
            }
        }

        /** Answers that there is no such method. */
        enum Unknown implements Reply {
            /** The one value. */
            METHOD
        }
    }

    /**
     * Receives messages for which the client wants no answer.
     *
     * <p><b>Threading:</b> called on the host executor, concurrently and in no order, also for one
     * connection; it may block there and may call back into Fanfare. What it throws is logged, and so
     * is that it takes longer than ten seconds. A connection with 64 messages under way, that is waiting for
     * or inside the handler however long it takes, is closed with {@link DisconnectReason#TOO_MANY_REQUESTS}.
     */
    @FunctionalInterface
    interface MessageHandler {
        /** Receives one message. */
        void message(ConnectionInfo connection, Payload data);
    }
}
