/**
 * The server API over HTTP: what the host's other processes, and people with curl, may ask. Start at
 * {@link dev.fanfare.netty.api.ServerApi}.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.netty.api;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
