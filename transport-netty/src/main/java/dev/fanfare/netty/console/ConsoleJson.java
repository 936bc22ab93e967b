package dev.fanfare.netty.console;

import static dev.fanfare.netty.http.JsonText.number;
import static dev.fanfare.netty.http.JsonText.raw;
import static dev.fanfare.netty.http.JsonText.string;

import dev.fanfare.ChannelId;
import dev.fanfare.ConnectionInfo;
import dev.fanfare.Health;
import dev.fanfare.Stats;
import dev.fanfare.spi.ChannelView;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Map;

/** Writes what the page reads. */
final class ConsoleJson {

    private ConsoleJson() {}

    static void totals(ByteBuf out, String node, long millis, Health health, Stats stats, Tally tally) {
        raw(out, "{\"node\":");
        string(out, node);
        field(out, "time", millis);
        raw(out, ",\"reasons\":[");
        separated(out, health.reasons(), reason -> string(out, reason));
        out.writeByte(']');
        field(out, "connections", stats.connections());
        field(out, "subscriptions", stats.subscriptions());
        field(out, "channels", stats.channels());
        field(out, "logReads", stats.logReads());
        field(out, "waitingSignals", stats.waitingSignals());
        field(out, "waitingHostTasks", stats.waitingHostTasks());
        field(out, "publishes", tally.publishes.sum());
        field(out, "deliveries", tally.deliveries.sum());
        field(out, "bytes", tally.bytes.sum());
        field(out, "catchUps", tally.catchUps.sum());
        field(out, "repairs", tally.repairs.sum());
        reasons(out, "resets", tally.resets);
        reasons(out, "drops", tally.drops);
        reasons(out, "disconnects", tally.disconnects);
        reasons(out, "refusals", tally.refusals);
        reasons(out, "rejections", tally.rejections);
        out.writeByte('}');
    }

    private static void field(ByteBuf out, String name, long value) {
        raw(out, ",\"" + name + "\":");
        number(out, value);
    }

    private static void reasons(ByteBuf out, String name, Tally.Reasons reasons) {
        raw(out, ",\"" + name + "\":{");
        separated(out, reasons.seen().entrySet(), (Map.Entry<String, Long> each) -> {
            string(out, each.getKey());
            out.writeByte(':');
            number(out, each.getValue());
        });
        out.writeByte('}');
    }

    static void channels(ByteBuf out, List<ChannelView> channels) {
        raw(out, "{\"result\":{\"channels\":[");
        separated(out, channels, each -> {
            raw(out, "{\"channel\":");
            string(out, each.channel().value());
            field(out, "subscribers", each.subscribers());
            field(out, "publications", each.publications());
            out.writeByte('}');
        });
        raw(out, "]}}");
    }

    static void connections(ByteBuf out, List<ConnectionInfo> connections) {
        raw(out, "{\"result\":{\"connections\":[");
        separated(out, connections, each -> {
            raw(out, "{\"client\":");
            string(out, each.id());
            raw(out, ",\"user\":");
            string(out, each.user());
            raw(out, ",\"transport\":");
            string(out, each.transport());
            field(out, "connectedAt", each.connectedAt().toEpochMilli());
            out.writeByte('}');
        });
        raw(out, "]}}");
    }

    static void subscriptions(ByteBuf out, List<ChannelId> channels) {
        raw(out, "{\"result\":{\"channels\":[");
        separated(out, channels, each -> string(out, each.value()));
        raw(out, "]}}");
    }

    private static <T> void separated(ByteBuf out, Iterable<T> all, java.util.function.Consumer<T> write) {
        String separator = "";
        for (T each : all) {
            raw(out, separator);
            write.accept(each);
            separator = ",";
        }
    }
}
