/**
 * The page on which a person sees what one node is doing: totals live, channels and connections on demand. Start at
 * {@link dev.fanfare.netty.console.Console}. Nothing here is reachable without the API key but the page itself.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.netty.console;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
