package dev.fanfare.internal;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Makes daemon threads named {@code <role>-<n>}. Thread-safe. */
final class Daemons implements ThreadFactory {

    private final String role;
    private final AtomicInteger made = new AtomicInteger();

    Daemons(String role) {
        this.role = role;
    }

    @Override
    public Thread newThread(Runnable task) {
        Thread thread = new Thread(task, role + '-' + made.incrementAndGet());
        thread.setDaemon(true);
        return thread;
    }
}
