/** What an application names: the front door, channels, messages and outcomes. */
@NullMarked
@CheckReturnValue
package dev.fanfare;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
