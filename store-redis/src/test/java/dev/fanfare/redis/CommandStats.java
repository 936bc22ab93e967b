package dev.fanfare.redis;

import io.lettuce.core.api.sync.RedisCommands;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How often which command was executed, scripts' own calls included. */
final class CommandStats {

    private static final Pattern CALLS = Pattern.compile("cmdstat_([^:]+):calls=(\\d+)");
    private final Map<String, Long> calls = new HashMap<>();

    static CommandStats of(RedisCommands<String, String> redis) {
        CommandStats stats = new CommandStats();
        Matcher line = CALLS.matcher(redis.info("commandstats"));
        while (line.find()) {
            stats.calls.put(line.group(1), Long.parseLong(line.group(2)));
        }
        return stats;
    }

    long calls(String command) {
        return calls.getOrDefault(command, 0L);
    }

    /** Returns how many there were but for those of whoever looks. */
    long all() {
        return calls.entrySet().stream()
                .filter(each -> !each.getKey().matches("info|config.*|client.*|hello|ping|quit"))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    @Override
    public String toString() {
        return calls.toString();
    }
}
