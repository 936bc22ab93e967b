package dev.fanfare.memory;

/** Being written. */
public final class MemoryStore {
    private MemoryStore() {}
}
