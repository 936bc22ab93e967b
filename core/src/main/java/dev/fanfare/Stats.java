package dev.fanfare;

/**
 * What one node holds at a moment, and how much work waits in it.
 *
 * <p><b>Threading:</b> immutable. The numbers are read one after the other, so they need not add up to the last one.
 *
 * @param connections clients' connections
 * @param subscriptions subscriptions that have gone live, in-process ones included
 * @param channels channels with a subscriber, or with one until a few seconds ago
 * @param logReads how often the log was read for subscribers since the start: openings, repairs, probes, catch-ups
 * @param waitingSignals what waits for the event loops, in publications and other signals
 * @param waitingBytes payloads that wait for the event loops, in bytes
 * @param waitingHostTasks tasks that wait for a thread of the host pool; 0 if the host brought its own executor
 * @param refusedHostTasks how often the host executor refused a task since the start. What clients asked for then failed, a
 *     job waits for its next delivery, and completions went on elsewhere
 * @param overdueAnnouncements channels whose newest publication the bus would not take, and is offered again each second
 */
public record Stats(
        int connections,
        int subscriptions,
        int channels,
        long logReads,
        int waitingSignals,
        long waitingBytes,
        int waitingHostTasks,
        long refusedHostTasks,
        int overdueAnnouncements) {}
