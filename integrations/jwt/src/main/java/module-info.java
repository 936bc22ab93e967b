/** Tokens for connections and subscriptions, verified with Nimbus JOSE + JWT. */
module dev.fanfare.jwt {
    requires static transitive org.jspecify;
    requires static transitive com.google.errorprone.annotations;
    requires transitive dev.fanfare;
    requires com.nimbusds.jose.jwt;
    requires org.slf4j;

    exports dev.fanfare.jwt;
}
