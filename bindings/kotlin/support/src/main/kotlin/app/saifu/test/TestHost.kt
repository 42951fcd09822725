package app.saifu.test

import app.saifu.Host
import java.nio.file.Path

/**
 * A phone for tests, on any JVM: keys of the JDK, kept in memory, or in the files of [folder], where the next host over the same
 * folder has them, as after a restart. They are software and lie in clear, which no shipped host may do.
 */
public class TestHost private constructor(private val store: Store, public val clock: TestClock) {
    /** A host that is gone with its object. */
    public constructor(clock: TestClock = TestClock()) : this(MemoryStore(), clock)

    /** A host over [folder], which is made if it is not there. */
    public constructor(folder: Path, clock: TestClock = TestClock()) : this(FileStore(folder), clock)

    public val keys: TestKeys = TestKeys(store)
    public val secrets: TestSecrets = TestSecrets(store)

    /** As the wallet takes it. */
    public fun platform(): Host = Host(keys, secrets, clock)

    /** The same host as a restarted process would have it. */
    public fun reopened(): TestHost = TestHost(store, clock)

    /** What an app does behind its prompt: the authorization key's signature over the shown bytes. */
    public fun authorize(message: ByteArray): ByteArray = keys.authorize(message)
}
