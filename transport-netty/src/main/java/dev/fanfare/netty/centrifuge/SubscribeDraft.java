package dev.fanfare.netty.centrifuge;

import org.jspecify.annotations.Nullable;

/**
 * Gathers the fields of a subscribe request, which come in any order.
 *
 * <p><b>Threading:</b> not thread-safe.
 */
final class SubscribeDraft {

    String channel = "";
    String token = "";
    boolean recovers;
    String epoch = "";
    long offset;
    boolean wantsPresence;
    String delta = "";

    @Nullable
    TagsFilter filter;

    long flag;
    int type;

    Request.Subscribe request() {
        Position recoverFrom = recovers ? new Position(epoch, offset) : null;
        return new Request.Subscribe(channel, token, recoverFrom, wantsPresence, delta, filter, flag, type);
    }
}
