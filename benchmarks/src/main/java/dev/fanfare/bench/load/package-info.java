/**
 * The load harness: so many readers on so many channels, publications at a fixed rate, and what came of it. It knows
 * nothing of the library but the wire. Start with {@link dev.fanfare.bench.load.Load}.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.bench.load;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
