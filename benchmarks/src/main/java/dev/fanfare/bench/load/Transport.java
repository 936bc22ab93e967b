package dev.fanfare.bench.load;

/** How readers are connected. */
enum Transport {
    /** The Centrifuge protocol in JSON over WebSocket. */
    WEBSOCKET,
    /** Plain event streams. */
    SSE
}
