/** Who is in a channel. */
@NullMarked
@CheckReturnValue
package dev.fanfare.presence;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
