/** JMH benchmarks and the load harness. */
@NullMarked
@CheckReturnValue
package dev.fanfare.bench;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
