/**
 * Real servers for tests and benchmarks, started from the binaries that Maven artifacts carry: Redis and PostgreSQL,
 * and a proxy that breaks the way to them. If one cannot start, the test fails.
 */
package dev.fanfare.servers;
