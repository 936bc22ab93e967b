package dev.fanfare.jdbc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.h2.store.fs.FileBaseDefault;
import org.h2.store.fs.FilePath;
import org.h2.store.fs.FilePathWrapper;

/** A file system of H2's whose disk can be filled: then nothing more can be written. */
public final class SmallDisk extends FilePathWrapper {

    private static final AtomicBoolean IS_FULL = new AtomicBoolean();

    static {
        FilePath.register(new SmallDisk());
    }

    /** Returns the URL of a database in that directory, on a disk that has room. */
    static String url(Path directory) {
        IS_FULL.set(false);
        return "jdbc:h2:small:" + directory.resolve("chat") + ";WRITE_DELAY=0;TRACE_LEVEL_FILE=0";
    }

    static void fill(boolean isFull) {
        IS_FULL.set(isFull);
    }

    @Override
    public String getScheme() {
        return "small";
    }

    @Override
    public FileChannel open(String mode) throws IOException {
        return new SmallFile(getBase().open(mode));
    }

    private static final class SmallFile extends FileBaseDefault {
        private final FileChannel file;

        SmallFile(FileChannel file) {
            this.file = file;
        }

        @Override
        public int write(ByteBuffer source, long position) throws IOException {
            if (IS_FULL.get()) {
                throw new IOException("No space left on device");
            }
            return file.write(source, position);
        }

        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            return file.read(target, position);
        }

        @Override
        public long size() throws IOException {
            return file.size();
        }

        @Override
        protected void implTruncate(long size) throws IOException {
            file.truncate(size);
        }

        @Override
        public void force(boolean isMetaData) throws IOException {
            file.force(isMetaData);
        }

        @Override
        public FileLock tryLock(long position, long size, boolean isShared) throws IOException {
            return file.tryLock(position, size, isShared);
        }

        @Override
        protected void implCloseChannel() throws IOException {
            file.close();
        }
    }
}
