/** What stores and transports implement. */
@NullMarked
@CheckReturnValue
package dev.fanfare.spi;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
