package dev.fanfare.netty;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One file from the class path, as it is served.
 *
 * <p><b>Threading:</b> immutable; nobody writes to the bytes.
 */
final class ResourceFile {

    private static final int MAX_BYTES = 16 * 1024 * 1024;
    private static final int ETAG_BYTES = 12;

    private static final Map<String, String> TYPES = Map.ofEntries(
            Map.entry("html", "text/html; charset=utf-8"),
            Map.entry("css", "text/css; charset=utf-8"),
            Map.entry("js", "text/javascript; charset=utf-8"),
            Map.entry("mjs", "text/javascript; charset=utf-8"),
            Map.entry("json", "application/json"),
            Map.entry("map", "application/json"),
            Map.entry("webmanifest", "application/manifest+json"),
            Map.entry("txt", "text/plain; charset=utf-8"),
            Map.entry("md", "text/markdown; charset=utf-8"),
            Map.entry("xml", "application/xml"),
            Map.entry("svg", "image/svg+xml"),
            Map.entry("png", "image/png"),
            Map.entry("jpg", "image/jpeg"),
            Map.entry("jpeg", "image/jpeg"),
            Map.entry("gif", "image/gif"),
            Map.entry("webp", "image/webp"),
            Map.entry("ico", "image/x-icon"),
            Map.entry("woff2", "font/woff2"),
            Map.entry("mp3", "audio/mpeg"),
            Map.entry("mp4", "video/mp4"),
            Map.entry("pdf", "application/pdf"),
            Map.entry("wasm", "application/wasm"));

    private final byte[] bytes;
    private final String contentType;
    private final String etag;

    private ResourceFile(byte[] bytes, String contentType, String etag) {
        this.bytes = bytes;
        this.contentType = contentType;
        this.etag = etag;
    }

    byte[] bytes() {
        return bytes;
    }

    String contentType() {
        return contentType;
    }

    /** Returns the name of this very content, with its quotes. */
    String etag() {
        return etag;
    }

    private static ResourceFile of(String name, byte[] bytes) {
        String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        return new ResourceFile(bytes, TYPES.getOrDefault(extension, "application/octet-stream"), etag(bytes));
    }

    private static String etag(byte[] bytes) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return '"' + HexFormat.of().formatHex(digest, 0, ETAG_BYTES) + '"';
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JDK has SHA-256", impossible);
        }
    }

    /**
     * A folder of the class path, named as {@link Class#getResource} names things.
     *
     * @param anchor the class from whose place the folder is looked up
     * @param path the folder
     */
    record Folder(Class<?> anchor, String path) {

        /** Reads a file; null if there is none of that name, or if it is a folder. */
        @Nullable
        ResourceFile read(String name) throws IOException {
            URL url = anchor.getResource(path + '/' + name);
            if (url == null || isFolder(url)) {
                return null;
            }
            URLConnection connection = url.openConnection();
            if (connection instanceof JarURLConnection jar && jar.getJarEntry().isDirectory()) {
                return null;
            }
            try (InputStream in = connection.getInputStream()) {
                byte[] bytes = in.readNBytes(MAX_BYTES + 1);
                if (bytes.length > MAX_BYTES) {
                    throw new IOException("larger than " + MAX_BYTES + " bytes, which is too much to hold in memory");
                }
                return of(name, bytes);
            }
        }

        private static boolean isFolder(URL url) throws IOException {
            if (!url.getProtocol().equals("file")) {
                return false;
            }
            try {
                return Files.isDirectory(Path.of(url.toURI()));
            } catch (URISyntaxException e) {
                throw new IOException("not a proper URL: " + url, e);
            }
        }
    }
}
