package dev.fanfare.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** The scripts, one per operation. */
enum Script {
    /** Answers only while the server takes writes. */
    ASK(Flags.WRITES, null, "ask"),
    APPEND("log", "append"),
    SEND(null, "send"),
    WORK_TAKE("log", "work-take"),
    WORK_DONE(null, "work-done"),
    READ("log", "read"),
    NODES(null, "nodes"),
    RENEW(Flags.ALLOW_OOM, "presence", "renew"),
    RETIRE(Flags.ALLOW_OOM, "presence", "retire"),
    ENTER("presence", "enter"),
    LEAVE(Flags.ALLOW_OOM, "presence", "leave"),
    SWEEP(Flags.ALLOW_OOM, "presence", "sweep"),
    SNAPSHOT("presence", "snapshot"),
    LATEST_PUT("latest", "latest-put"),
    LATEST_GET("latest", "latest-get"),
    LATEST_ALL("latest", "latest-all"),
    LATEST_REMOVE("latest", "latest-remove");

    private final String flags;
    private final String text;

    Script(@Nullable String shared, String own) {
        this("", shared, own);
    }

    Script(String flags, @Nullable String shared, String own) {
        this.flags = flags;
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
        return flags + "local SALT, SUFFIX, SHIFT = '" + salt + "', '" + suffix + "', " + shiftMillis + "\n" + text;
    }

    /**
     * When Redis runs a script; a script without any is looked at write by write. See
     * <a href="https://redis.io/docs/latest/develop/programmability/eval-intro/#eval-flags">EVAL flags</a>, Redis 7.
     */
    private static final class Flags {
        /** Only while it takes writes. */
        static final String WRITES = "#!lua\n";
        /** Also when its memory is full: it needs next to none, and presence stays as it is meanwhile. */
        static final String ALLOW_OOM = "#!lua flags=allow-oom\n";
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
