package dev.fanfare.bench.load;

/**
 * The server, and what to call its channels.
 *
 * @param apiKey goes along with what is published; empty if the server wants none
 */
record Target(String host, int port, String namespace, String apiKey) {

    /** Returns the name of a channel. */
    String channel(int number) {
        return namespace + ":" + number;
    }
}
