package dev.fanfare.redis;

import org.jspecify.annotations.Nullable;

/**
 * Why a server of a Redis Cluster did not run a command, and who may. Immutable.
 *
 * @param kind what to do
 * @param address {@code host:port} of the server that has the slot, or is about to get it; empty if nobody is named; the
 *     host is empty if it is the same
 */
record Redirect(Kind kind, int slot, String address) {

    enum Kind {
        /** The slot is elsewhere. */
        MOVED,
        /** This one key is elsewhere already. */
        ASK,
        /** The slot is just being moved. */
        LATER,
        /** Nobody has the slot at the moment. */
        DOWN
    }

    /** Reads a failure; null if it is of another kind, so that the command may have been run. */
    static @Nullable Redirect of(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String message = cause.getMessage();
            if (message == null) {
                continue;
            }
            String[] words = message.split(" ", 4);
            if (words.length == 3 && (words[0].equals("MOVED") || words[0].equals("ASK"))) {
                return new Redirect(Kind.valueOf(words[0]), Integer.parseInt(words[1]), words[2]);
            } else if (words[0].equals("TRYAGAIN")) {
                return new Redirect(Kind.LATER, -1, "");
            } else if (words[0].equals("CLUSTERDOWN")) {
                return new Redirect(Kind.DOWN, -1, "");
            }
        }
        return null;
    }
}
