package dev.fanfare.examples;

/** Starts the demo server. */
public final class Demo {
    private Demo() {}

    /**
     * Runs the demo until the process is stopped.
     *
     * @param args none are read yet
     */
    public static void main(String[] args) {
        System.out.println("The demo server is not here yet.");
    }
}
