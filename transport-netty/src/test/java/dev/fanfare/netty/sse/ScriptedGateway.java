package dev.fanfare.netty.sse;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Expiry;
import dev.fanfare.FanfareListener;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Payload;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Gateway;
import dev.fanfare.spi.Mailboxes;
import dev.fanfare.spi.Outlet;
import dev.fanfare.spi.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** A core whose every answer the test gives. */
final class ScriptedGateway implements Gateway, Connection, TimeSource {

    final Map<String, Consumer<SubscribeResult>> asked = new HashMap<>();
    final Map<String, SubscribeRequest> requests = new HashMap<>();
    final List<DisconnectReason> closed = new ArrayList<>();
    Outlet outlet;
    ConnectionInfo info;
    int writable;

    @Override
    public Connection open(ConnectionInfo info, Outlet outlet) {
        this.info = info;
        this.outlet = outlet;
        return this;
    }

    @Override
    public void subscribe(ChannelId channel, SubscribeRequest request, Consumer<SubscribeResult> answer) {
        requests.put(channel.value(), request);
        asked.put(channel.value(), answer);
    }

    @Override
    public void writable() {
        writable++;
    }

    @Override
    public void closed(DisconnectReason reason) {
        closed.add(reason);
    }

    @Override
    public Mailboxes mailboxes() {
        throw new UnsupportedOperationException("no mailboxes here");
    }

    @Override
    public void listen(FanfareListener listener) {
        throw new UnsupportedOperationException("nobody listens here");
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public Executor hostExecutor() {
        return Runnable::run;
    }

    @Override
    public TimeSource time() {
        return this;
    }

    @Override
    public FanfareListener listener() {
        return new FanfareListener() {};
    }

    @Override
    public String newConnectionId() {
        return "id";
    }

    @Override
    public String node() {
        return "node";
    }

    @Override
    public long millis() {
        return 0;
    }

    @Override
    public ConnectionInfo info() {
        return info;
    }

    @Override
    public boolean unsubscribe(ChannelId channel) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void expires(Expiry expiry) {}

    @Override
    public Expiry expiry() {
        return null;
    }

    @Override
    public Expiry expiry(ChannelId channel) {
        return null;
    }

    @Override
    public void prolong(ChannelId channel, String token, Consumer<ProlongResult> answer) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isSubscribed(ChannelId channel) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ChannelRules rules(ChannelId channel) {
        return ChannelRules.builder().build();
    }

    @Override
    public void publish(ChannelId channel, Payload data, PublishOptions options, Consumer<PublishResult> answer) {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<PublishResult> publish(ChannelId channel, Payload data, PublishOptions options) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void history(ChannelId channel, HistoryQuery query, int enoughBytes, Consumer<HistoryResult> answer) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void presence(ChannelId channel, int limit, Consumer<PresenceResult> answer) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void rpc(String method, Payload data, Consumer<RpcResult> answer) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean message(Payload data) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long nanos() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Timer schedule(Duration delay, Runnable task) {
        throw new UnsupportedOperationException();
    }
}
