/**
 * Finds out who a client is, and what it may subscribe to, by signed tokens. Start at {@link
 * dev.fanfare.jwt.JwtAuthenticator}.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.jwt;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
