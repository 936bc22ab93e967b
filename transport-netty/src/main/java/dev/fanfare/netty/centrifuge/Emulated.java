package dev.fanfare.netty.centrifuge;

/**
 * Where a client sends its commands whose connection carries only what is said to it.
 *
 * <p><b>Threading:</b> immutable.
 *
 * @param node the id of the node that has the connection
 * @param session the secret by which that node knows it; never written to a log
 */
record Emulated(String node, String session) {

    /** Tells the node; never the secret. */
    @Override
    public String toString() {
        return "Emulated[" + node + "]";
    }
}
