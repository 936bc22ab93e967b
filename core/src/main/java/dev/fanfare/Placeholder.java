package dev.fanfare;

/** Holds the package until its first real type. */
public final class Placeholder {
    private Placeholder() {}
}
