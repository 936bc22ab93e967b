/**
 * Reads along what Fanfare logs, and fails tests that meet a bug of Fanfare which they do not look for. A module whose tests are to be watched has this
 * on their class path and lets JUnit detect extensions, in its {@code junit-platform.properties}.
 */
package dev.fanfare.faults;
