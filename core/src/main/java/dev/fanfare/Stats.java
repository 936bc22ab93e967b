package dev.fanfare;

/**
 * What one node holds at a moment, and how much work waits in it. Fanfare makes these, and hosts read them: later versions
 * will tell more.
 *
 * <p><b>Threading:</b> immutable. The numbers are read one after the other, so they need not add up to the last one.
 */
public interface Stats {

    /** Returns how many connections clients have. */
    int connections();

    /** Returns how many subscriptions have gone live, in-process ones included. */
    int subscriptions();

    /** Returns how many channels have a subscriber, or had one until a few seconds ago. */
    int channels();

    /** Returns how often the log was read for subscribers since the start: openings, repairs, probes, catch-ups. */
    long logReads();

    /** Returns how much waits for the event loops, in publications and other signals. */
    int waitingSignals();

    /** Returns how much waits for the event loops, in bytes of payloads. */
    long waitingBytes();

    /** Returns how many tasks wait for a thread of the host pool; 0 if the host brought its own executor. */
    int waitingHostTasks();

    /**
     * Returns how often the host executor refused a task since the start. What clients asked for then failed, a job waits for
     * its next delivery, and completions went on elsewhere.
     */
    long refusedHostTasks();

    /** Returns how many bytes wait in the transports for clients that read more slowly than they are sent to. */
    long unsentBytes();

    /** Returns of how many channels the bus would not take the newest publication, which is offered again each second. */
    int overdueAnnouncements();
}
