package dev.fanfare.internal;

import dev.fanfare.Stats;

/** What this node holds at a moment. Immutable. */
record NodeStats(
        int connections,
        int subscriptions,
        int channels,
        long logReads,
        int waitingSignals,
        long waitingBytes,
        int waitingHostTasks,
        long refusedHostTasks,
        long unsentBytes,
        int overdueAnnouncements)
        implements Stats {}
