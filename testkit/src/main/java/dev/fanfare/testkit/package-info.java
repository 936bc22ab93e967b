/** Contract suites and fixtures for tests of stores, transports and applications. */
@NullMarked
@CheckReturnValue
package dev.fanfare.testkit;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
