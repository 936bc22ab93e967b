package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** The scripts, one per operation. */
enum Script {
    APPEND("log", "append"),
    SEND(null, "send"),
    WORK_TAKE("log", "work-take"),
    WORK_DONE(null, "work-done"),
    READ("log", "read"),
    NODES(null, "nodes"),
    RENEW("presence", "renew"),
    RETIRE("presence", "retire"),
    ENTER("presence", "enter"),
    LEAVE("presence", "leave"),
    SWEEP("presence", "sweep"),
    SNAPSHOT("presence", "snapshot"),
    LATEST_PUT("latest", "latest-put"),
    LATEST_GET("latest", "latest-get"),
    LATEST_ALL("latest", "latest-all"),
    LATEST_REMOVE("latest", "latest-remove");

    private final String text;

    Script(@Nullable String shared, String own) {
        this.text = resource("common") + '\n' + (shared == null ? "" : resource(shared) + '\n') + resource(own);
    }

    /**
     * Returns the text for a name of the primary's history. As the name is part of the text, and so of its digest, a
     * server whose history has another name does not know the script, and who calls it learns of the change.
     *
     * @param suffix what epochs end in
     * @param shiftMillis how far ahead of its own time the server is to be; other than 0 only for tests
     */
    String text(String salt, String suffix, long shiftMillis) {
        return "local SALT, SUFFIX, SHIFT = '" + salt + "', '" + suffix + "', " + shiftMillis + "\n" + text;
    }

    private static String resource(String name) {
        try (InputStream in = Script.class.getResourceAsStream(name + ".lua")) {
            if (in == null) {
                throw new IllegalStateException("The script " + name + ".lua is missing beside " + Script.class);
            }
            return new String(in.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
