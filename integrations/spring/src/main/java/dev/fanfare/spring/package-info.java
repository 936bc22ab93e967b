/** Publishes in the surrounding Spring transaction. Start at {@link dev.fanfare.spring.TransactionalPublisher}. */
@NullMarked
@CheckReturnValue
package dev.fanfare.spring;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
