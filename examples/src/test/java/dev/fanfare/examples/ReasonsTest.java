package dev.fanfare.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.fanfare.DisconnectReason;
import dev.fanfare.DropReason;
import dev.fanfare.Fanfare;
import dev.fanfare.Refusal;
import dev.fanfare.Rejection;
import dev.fanfare.ResetReason;
import dev.fanfare.micrometer.FanfareMetrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** docs/OPERATIONS.md explains everything that is counted, and nothing else. */
class ReasonsTest {

    private static final Pattern ROW = Pattern.compile("^\\| `([^`]+)`", Pattern.MULTILINE);

    private final String operations;

    ReasonsTest() throws IOException {
        operations = Files.readString(Path.of("../docs/OPERATIONS.md"));
    }

    @ParameterizedTest
    @CsvSource({"rejections", "disconnects", "refusals", "drops", "resets"})
    void everyReasonHasItsRow(String counter) {
        String[] reasons = Stream.of(reasons(counter))
                .map(reason -> reason.name().toLowerCase(Locale.ROOT))
                .toArray(String[]::new);

        assertThat(rowsAfter("\n`fanfare." + counter + "`")).containsExactly(reasons);
    }

    private static Enum<?>[] reasons(String counter) {
        return switch (counter) {
            case "rejections" -> Rejection.values();
            case "disconnects" -> DisconnectReason.values();
            case "refusals" -> Refusal.values();
            case "drops" -> DropReason.values();
            default -> ResetReason.values();
        };
    }

    /** Returns the first cells of the table that follows that text. */
    private Stream<String> rowsAfter(String text) {
        int table = operations.indexOf("\n|", operations.indexOf(text));
        String rows = operations.substring(table, operations.indexOf("\n\n", table));
        return ROW.matcher(rows).results().map(row -> row.group(1));
    }

    @Test
    void everyMeterHasItsRow() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        FanfareMetrics metrics = FanfareMetrics.of(registry);
        try (Fanfare fanfare = Fanfare.builder().listener(metrics).build()) {
            metrics.watch(fanfare);
        }

        Set<String> names = registry.getMeters().stream()
                .map(meter -> meter.getId().getName().replace(".histogram", ""))
                .collect(Collectors.toSet());
        assertThat(Pattern.compile("`(fanfare[^`]*)`")
                        .matcher(operations)
                        .results()
                        .map(name -> name.group(1)))
                .containsAll(names);
    }
}
