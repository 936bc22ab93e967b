/**
 * Keeps channels in Redis 7, so that many nodes are one: log, bus, presence, control and latest values. Start from
 * {@link dev.fanfare.redis.RedisStore}.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.redis;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
