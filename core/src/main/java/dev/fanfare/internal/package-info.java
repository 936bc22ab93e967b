/** The engine; not exported. */
@NullMarked
@CheckReturnValue
package dev.fanfare.internal;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
