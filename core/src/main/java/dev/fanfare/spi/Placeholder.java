package dev.fanfare.spi;

/** Holds the package until its first real type. */
public final class Placeholder {
    private Placeholder() {}
}
