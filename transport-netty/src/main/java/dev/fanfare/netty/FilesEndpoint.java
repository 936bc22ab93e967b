package dev.fanfare.netty;

import dev.fanfare.Rejection;
import dev.fanfare.netty.http.Endpoint;
import dev.fanfare.netty.http.Exchange;
import dev.fanfare.netty.http.HostAnswer;
import io.netty.handler.codec.http.HttpHeaderNames;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Serves a folder of the class path. A file is read once, on the host executor, and then served from
 * memory on the event loop.
 *
 * <p>Only plain names are looked up, so that no path leads out of the folder: letters, digits and a few
 * marks, and no segment begins with a dot.
 *
 * <p><b>Threading:</b> thread-safe.
 */
final class FilesEndpoint implements Endpoint {

    private static final Pattern NAME =
            Pattern.compile("(?:[A-Za-z0-9_@~+-][A-Za-z0-9_.@~+-]*/)*[A-Za-z0-9_@~+-][A-Za-z0-9_.@~+-]*");
    private static final int MAX_NAME_LENGTH = 512;
    private static final long MAX_HELD_BYTES = 32L * 1024 * 1024;

    private final String prefix;
    private final ResourceFile.Folder folder;
    private final Executor hostExecutor;
    private final Consumer<Rejection> rejections;
    private final List<String> moreHeaders;
    private final Map<String, ResourceFile> held = new ConcurrentHashMap<>();
    private final AtomicLong heldBytes = new AtomicLong();

    /**
     * Serves a folder.
     *
     * @param prefix the path of the folder, with {@code /} at its end
     * @param rejections is told, on the event loop, when there is no such file
     */
    FilesEndpoint(String prefix, ResourceFile.Folder folder, Executor hostExecutor, Consumer<Rejection> rejections) {
        this(prefix, folder, hostExecutor, rejections, List.of());
    }

    /** Serves a folder, with further headers for every file: name, value, name, value … */
    FilesEndpoint(
            String prefix,
            ResourceFile.Folder folder,
            Executor hostExecutor,
            Consumer<Rejection> rejections,
            List<String> moreHeaders) {
        this.rejections = rejections;
        this.moreHeaders = List.copyOf(moreHeaders);
        this.prefix = prefix;
        this.folder = folder;
        this.hostExecutor = hostExecutor;
    }

    @Override
    public boolean takesForeignOrigins() {
        return true;
    }

    @Override
    public int maxBodyBytes() {
        return 0;
    }

    @Override
    public void handle(Exchange exchange) {
        String name = name(exchange.decodedPath());
        if (name == null) {
            notThere(exchange);
            return;
        }
        ResourceFile file = held.get(name);
        if (file != null) {
            answer(exchange, file);
        } else {
            read(exchange, name);
        }
    }

    private @Nullable String name(String path) {
        if (!path.startsWith(prefix)) {
            return null;
        }
        String rest = path.substring(prefix.length());
        String name = rest.isEmpty() || rest.endsWith("/") ? rest + "index.html" : rest;
        return name.length() <= MAX_NAME_LENGTH && NAME.matcher(name).matches() ? name : null;
    }

    private void read(Exchange exchange, String name) {
        HostAnswer.ask(exchange, hostExecutor, answer -> {
            ResourceFile file = folder.read(name);
            if (file == null) {
                answer.give(() -> notThere(exchange));
            } else {
                hold(name, file);
                answer.give(() -> answer(exchange, file));
            }
        });
    }

    private void notThere(Exchange exchange) {
        rejections.accept(Rejection.NOT_FOUND);
        exchange.fail(404, "not found");
    }

    private void hold(String name, ResourceFile file) {
        if (heldBytes.addAndGet(file.bytes().length) > MAX_HELD_BYTES || held.putIfAbsent(name, file) != null) {
            heldBytes.addAndGet(-file.bytes().length);
        }
    }

    private void answer(Exchange exchange, ResourceFile file) {
        List<String> headers = new ArrayList<>(
                List.of("etag", file.etag(), "cache-control", "no-cache", "x-content-type-options", "nosniff"));
        headers.addAll(moreHeaders);
        String known = exchange.headers().get(HttpHeaderNames.IF_NONE_MATCH);
        if (known != null && (known.contains(file.etag()) || known.equals("*"))) {
            exchange.begin(304, file.contentType(), headers);
        } else {
            exchange.begin(200, file.contentType(), headers).writeBytes(file.bytes());
        }
        exchange.end();
    }
}
