package dev.fanfare.netty.centrifuge;

import dev.fanfare.ChannelId;
import dev.fanfare.ChannelRules;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Cursor;
import dev.fanfare.DisconnectReason;
import dev.fanfare.Expiry;
import dev.fanfare.HistoryQuery;
import dev.fanfare.HistoryResult;
import dev.fanfare.Payload;
import dev.fanfare.Publication;
import dev.fanfare.PublishOptions;
import dev.fanfare.PublishResult;
import dev.fanfare.Resume;
import dev.fanfare.spi.Connection;
import dev.fanfare.spi.Frame;
import dev.fanfare.spi.Outlet;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Records what it is asked, and answers when the test says so. */
final class ScriptedConnection implements Connection {

    final Outlet outlet;
    /** What was asked, in words. */
    final List<String> calls = new ArrayList<>();
    /** Those who wait for an answer, in order. */
    final Deque<Consumer<Object>> waiting = new ArrayDeque<>();

    /** Every frame that was pushed, and given up by the core. */
    final List<Frame> frames = new ArrayList<>();

    final List<DisconnectReason> ends = new ArrayList<>();
    final Set<ChannelId> subscribed = new HashSet<>();
    boolean takesMessages = true;
    int writableCalls;
    Expiry expiry;
    Expiry subscriptionExpiry;
    private final ConnectionInfo info;

    ScriptedConnection(ConnectionInfo info, Outlet outlet) {
        this.info = info;
        this.outlet = outlet;
    }

    /** Answers the call that has waited longest. */
    void answer(Object result) {
        waiting.remove().accept(result);
    }

    /** Answers a subscribe afresh, at that position. */
    void answerFresh(String epoch, long offset) {
        Cursor position = Cursor.of(epoch, offset);
        answer(new SubscribeResult.Subscribed(new Resume.Fresh(position), List.of(), position, !epoch.isEmpty()));
    }

    /** Pushes a publication as the core does. */
    void push(String channel, Publication publication) {
        Frame frame = outlet.encoder().publication(ChannelId.of(channel), publication);
        frames.add(frame);
        outlet.write(ChannelId.of(channel), frame, publication);
        frame.release();
        outlet.flush();
    }

    @SuppressWarnings("unchecked")
    private void call(String call, Consumer<?> answer) {
        calls.add(call);
        waiting.add((Consumer<Object>) answer);
    }

    @Override
    public ConnectionInfo info() {
        return info;
    }

    @Override
    public void subscribe(ChannelId channel, SubscribeRequest request, Consumer<SubscribeResult> answer) {
        call("subscribe " + channel + " " + request, answer);
    }

    @Override
    public boolean unsubscribe(ChannelId channel) {
        calls.add("unsubscribe " + channel);
        return subscribed.remove(channel);
    }

    @Override
    public void expires(Expiry expiry) {
        this.expiry = expiry;
    }

    @Override
    public Expiry expiry() {
        return expiry;
    }

    @Override
    public Expiry expiry(ChannelId channel) {
        return subscriptionExpiry;
    }

    @Override
    public void prolong(ChannelId channel, String token, Consumer<ProlongResult> answer) {
        call("prolong " + channel + " " + token, answer);
    }

    @Override
    public boolean isSubscribed(ChannelId channel) {
        return subscribed.contains(channel);
    }

    @Override
    public ChannelRules rules(ChannelId channel) {
        return ChannelRules.builder().build();
    }

    @Override
    public void publish(ChannelId channel, Payload data, PublishOptions options, Consumer<PublishResult> answer) {
        call("publish " + channel + " " + data.text() + " " + options.key(), answer);
    }

    @Override
    public void history(ChannelId channel, HistoryQuery query, int enoughBytes, Consumer<HistoryResult> answer) {
        call("history " + channel + " " + query + " " + enoughBytes, answer);
    }

    @Override
    public void presence(ChannelId channel, int limit, Consumer<PresenceResult> answer) {
        call("presence " + channel, answer);
    }

    @Override
    public void rpc(String method, Payload data, Consumer<RpcResult> answer) {
        call("rpc " + method + " " + data.text(), answer);
    }

    @Override
    public boolean message(Payload data) {
        calls.add("message " + data.text());
        return takesMessages;
    }

    @Override
    public void writable() {
        writableCalls++;
    }

    @Override
    public void closed(DisconnectReason reason) {
        ends.add(reason);
    }
}
