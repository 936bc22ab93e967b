package dev.fanfare.bench.load;

import java.time.Duration;

/** Asks the operating system for the processor time of the server, where that is a process of this machine. */
interface ServerCost {

    /** Is unknown. */
    ServerCost NONE = () -> Duration.ZERO;

    /** Returns the time, user and system, that the server has used so far. */
    Duration used();

    /** Returns the cost of a process; {@link #NONE} if the id is 0. */
    static ServerCost of(long pid) {
        if (pid == 0) {
            return NONE;
        }
        ProcessHandle server =
                ProcessHandle.of(pid).orElseThrow(() -> new IllegalArgumentException("there is no process " + pid));
        return () -> server.info().totalCpuDuration().orElse(Duration.ZERO);
    }
}
