/**
 * Keeps channels in a SQL database that the host already has: PostgreSQL, MariaDB, MySQL or H2. Start at {@link
 * dev.fanfare.jdbc.JdbcStore}.
 */
@NullMarked
@CheckReturnValue
package dev.fanfare.jdbc;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
