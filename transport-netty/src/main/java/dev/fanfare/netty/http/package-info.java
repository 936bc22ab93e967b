/**
 * HTTP/1.1 on one Netty channel: limits, order, routing and answers, without full-object aggregation.
 * Start at {@link dev.fanfare.netty.http.Endpoint}. Nothing here knows channels or subscriptions.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.netty.http;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
