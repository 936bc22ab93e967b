/**
 * A team chat: what a host writes on top of Fanfare for one. Start at {@link
 * dev.fanfare.examples.chat.TeamChat}. The pages are under {@code resources}, in {@code demo-site}.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.examples.chat;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
