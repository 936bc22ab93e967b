/**
 * Contract suites and fixtures for tests of stores, transports and applications.
 *
 * <p>Whoever tests an application begins with {@link dev.fanfare.testkit.RecordingSubscriber} and {@link
 * dev.fanfare.testkit.ManualTime}; whoever writes a store, with {@link dev.fanfare.testkit.StoreContract}; whoever
 * wants to know whether it all holds when things break, with {@link dev.fanfare.testkit.FaultyStore} and {@link
 * dev.fanfare.testkit.HistoryChecker}.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.testkit;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
