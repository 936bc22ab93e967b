package dev.fanfare.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class VendoredClientTest {

    private static final String FOLDER = "demo-site/vendor/centrifuge/";

    @Test
    void centrifugeJsIsTheFileThatItsReadmeNames() throws Exception {
        String readme = new String(read("README.md"), StandardCharsets.UTF_8);

        assertThat(readme).contains("`" + sha256(read("centrifuge.js")) + "`");
    }

    private static byte[] read(String name) throws IOException {
        try (InputStream in = DemoServer.class.getResourceAsStream(FOLDER + name)) {
            return in.readAllBytes();
        }
    }

    private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
