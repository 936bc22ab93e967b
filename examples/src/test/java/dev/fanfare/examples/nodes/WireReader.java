package dev.fanfare.examples.nodes;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.fanfare.ChannelId;
import dev.fanfare.Cursor;
import dev.fanfare.Payload;
import dev.fanfare.ResetReason;
import dev.fanfare.Resume;
import dev.fanfare.testkit.HistoryChecker;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A client of the Centrifuge protocol that reads one channel, comes back wherever it is sent when its connection is over,
 * resumes there, and tells a {@link HistoryChecker} what it sees.
 */
final class WireReader implements AutoCloseable {

    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration CONNECT = Duration.ofSeconds(5);

    private final HttpClient http;
    private final Supplier<URI> address;
    private final ChannelId channel;
    private final HistoryChecker.Client client;

    /** Guarded by this. */
    private @Nullable Link link;

    private final List<Link> left = new ArrayList<>();
    private String epoch = "";
    private long offset;
    private boolean isClosed;
    private volatile int subscribed;
    private volatile int resets;
    private volatile String last = "";

    WireReader(HttpClient http, Supplier<URI> address, ChannelId channel, HistoryChecker.Client client) {
        this.http = http;
        this.address = address;
        this.channel = channel;
        this.client = client;
        connect();
    }

    /** Returns how often it was subscribed. */
    int subscribed() {
        return subscribed;
    }

    /** Returns how often it was told that it could not go on. */
    int resets() {
        return resets;
    }

    /** Returns the newest data. */
    String last() {
        return last;
    }

    /** Says that it has waited for everything. */
    void claimEverything() {
        client.claimsEverything();
    }

    /** Turns away from its connection without a word to the server, and connects anew. */
    synchronized void move() {
        if (link != null) {
            left.add(link);
        }
        connect();
    }

    private synchronized void connect() {
        if (isClosed) {
            return;
        }
        Link fresh = new Link();
        link = fresh;
        http.newWebSocketBuilder()
                .connectTimeout(CONNECT)
                .buildAsync(address.get(), fresh)
                .whenComplete((socket, failure) -> {
                    if (failure != null) {
                        fresh.over();
                    }
                });
    }

    @Override
    public synchronized void close() {
        isClosed = true;
        if (link != null) {
            link.abort();
        }
        left.forEach(Link::abort);
    }

    private synchronized String subscribe() {
        String from = epoch.isEmpty() ? "" : ",\"recover\":true,\"epoch\":\"" + epoch + "\",\"offset\":" + offset;
        return "{\"id\":1,\"connect\":{}}\n{\"id\":2,\"subscribe\":{\"channel\":\"" + channel + "\"" + from + "}}";
    }

    private synchronized void take(Link from, JsonNode message) {
        if (from != link || isClosed) {
            return;
        }
        JsonNode reply = message.path("subscribe");
        JsonNode publication = message.path("push").path("pub");
        if (!reply.isMissingNode()) {
            begin(reply);
        } else if (!publication.isMissingNode()) {
            receive(publication);
        } else if (message.has("error")
                || message.path("push").has("unsubscribe")
                || message.path("push").has("disconnect")) {
            from.over();
        }
    }

    private void begin(JsonNode reply) {
        String now = reply.path("epoch").asText();
        long top = reply.path("offset").asLong();
        if (epoch.isEmpty()) {
            client.resumed(new Resume.Fresh(Cursor.of(now, top)));
        } else if (reply.path("recovered").asBoolean()) {
            client.resumed(new Resume.Continued(Cursor.of(epoch, offset)));
        } else {
            resets++;
            client.resumed(new Resume.Reset(ResetReason.EPOCH, Cursor.of(now, top)));
        }
        boolean isContinued = !epoch.isEmpty() && reply.path("recovered").asBoolean();
        epoch = now;
        if (isContinued) {
            reply.path("publications").forEach(this::receive);
        }
        offset = top;
        subscribed++;
    }

    private void receive(JsonNode publication) {
        offset = publication.path("offset").asLong();
        last = publication.path("data").asText();
        client.received(epoch, offset, Payload.of(publication.path("data").toString()));
    }

    /** One connection. */
    private final class Link implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();
        private @Nullable WebSocket socket;
        private boolean isOver;

        @Override
        public void onOpen(WebSocket opened) {
            synchronized (WireReader.this) {
                socket = opened;
                if (isClosed) {
                    opened.abort();
                }
            }
            opened.sendText(subscribe(), true);
            opened.request(1);
        }

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence data, boolean isWhole) {
            text.append(data);
            if (isWhole) {
                String[] messages = text.toString().split("\n", -1);
                text.setLength(0);
                for (String message : messages) {
                    if (message.equals("{}")) {
                        from.sendText("{}", true);
                    } else if (!message.isEmpty()) {
                        take(this, parsed(message));
                    }
                }
            }
            from.request(1);
            return null;
        }

        private static JsonNode parsed(String message) {
            try {
                return JSON.readTree(message);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(message, e);
            }
        }

        @Override
        public @Nullable CompletionStage<?> onClose(WebSocket from, int code, String reason) {
            over();
            return null;
        }

        @Override
        public void onError(WebSocket from, Throwable failure) {
            over();
        }

        void abort() {
            if (socket != null) {
                socket.abort();
            }
        }

        /** Comes back soon, if this was the connection in use. */
        void over() {
            synchronized (WireReader.this) {
                if (isOver || this != link || isClosed) {
                    return;
                }
                isOver = true;
                abort();
            }
            Executor soon = CompletableFuture.delayedExecutor(
                    ThreadLocalRandom.current().nextInt(10, 200), TimeUnit.MILLISECONDS);
            soon.execute(WireReader.this::connect);
        }
    }
}
