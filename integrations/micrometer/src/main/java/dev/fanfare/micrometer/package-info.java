/** Metrics of a Fanfare by Micrometer. Start at {@link dev.fanfare.micrometer.FanfareMetrics}. */
@NullMarked
@CheckReturnValue
package dev.fanfare.micrometer;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
