package dev.fanfare.faults;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Says of a test that it makes Fanfare log an error on purpose, which {@link FaultWatch} then lets pass. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface CausesFault {

    /** How the message begins, before anything is filled in. */
    String value();
}
