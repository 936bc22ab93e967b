/**
 * Real servers for tests and benchmarks: Redis and PostgreSQL, started from the binaries that Maven artifacts carry,
 * MariaDB, and a proxy that breaks the way to them. If one cannot start, the test fails.
 */
package dev.fanfare.servers;
