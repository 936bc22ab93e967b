/** The store that keeps everything in this JVM. */
@NullMarked
@CheckReturnValue
package dev.fanfare.memory;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
