/** Applications to copy from, and the demo server that mounts them all. */
@NullMarked
@CheckReturnValue
package dev.fanfare.examples;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
