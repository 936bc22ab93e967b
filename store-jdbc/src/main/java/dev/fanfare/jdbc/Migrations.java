package dev.fanfare.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Brings the tables to the version of this library, by the SQL files in the jar. */
final class Migrations {

    /** In order; the number after V is what the schema table remembers. A file that was released never changes. */
    private static final List<String> FILES = List.of("V1__channels.sql", "V2__outbox.sql");

    private final Database database;

    Migrations(Database database) {
        this.database = database;
    }

    /** Runs what is missing; other nodes that do the same wait. */
    void run() {
        database.transactNow("migrate the tables", connection -> {
            Tables tables = database.tables();
            database.dialect().lockMigrations(connection, tables);
            try {
                apply(connection);
            } finally {
                database.dialect().unlockMigrations(connection, tables);
            }
            return true;
        });
    }

    private void apply(Connection connection) throws SQLException {
        String schema = database.tables().schema();
        Dialect.execute(
                connection,
                "CREATE TABLE IF NOT EXISTS " + schema + " (version int PRIMARY KEY, applied_at bigint NOT NULL)");
        Set<Integer> applied = applied(connection, schema);
        for (int version = 1; version <= FILES.size(); version++) {
            if (applied.contains(version)) {
                continue;
            }
            for (String statement : statements(version)) {
                Dialect.execute(connection, statement);
            }
            try (PreparedStatement insert =
                    connection.prepareStatement("INSERT INTO " + schema + " (version, applied_at) VALUES (?, "
                            + database.now() + ")" + database.dialect().orIgnore())) {
                insert.setInt(1, version);
                database.dialect().insertIgnoring(insert);
            }
        }
    }

    private static Set<Integer> applied(Connection connection, String schema) throws SQLException {
        Set<Integer> versions = new HashSet<>();
        try (PreparedStatement select = connection.prepareStatement("SELECT version FROM " + schema);
                ResultSet rows = select.executeQuery()) {
            while (rows.next()) {
                versions.add(rows.getInt(1));
            }
        }
        return versions;
    }

    /** Returns the statements of a file, with the prefix put in. */
    private List<String> statements(int version) {
        String path = database.dialect().folder() + '/' + FILES.get(version - 1);
        String text;
        try (InputStream file = Migrations.class.getResourceAsStream(path)) {
            if (file == null) {
                throw new IllegalStateException("The jar lacks " + path);
            }
            text = new String(file.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String prefixed = text.replaceAll("(?m)^\\s*--.*$", "")
                .replace(Tables.DEFAULT_PREFIX, database.tables().prefix());
        return Arrays.stream(prefixed.split(";\\s*(?:\\n|$)"))
                .map(String::strip)
                .filter(statement -> !statement.isEmpty())
                .toList();
    }
}
