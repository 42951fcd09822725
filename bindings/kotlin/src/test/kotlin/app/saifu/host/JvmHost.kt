package app.saifu.host

import app.saifu.Host
import java.nio.file.Files
import java.nio.file.Path

/**
 * A host for tests on a JVM, over one folder: what one instance keeps, the next one over the same folder has, as after a
 * restart. Keys are software and lie in files in clear, which no shipped host may do.
 */
class JvmHost(private val folder: Path, val clock: JvmClock = JvmClock()) {
    val keys: JvmKeys
    val secrets: JvmSecrets

    init {
        Files.createDirectories(folder)
        keys = JvmKeys(folder)
        secrets = JvmSecrets(folder)
    }

    /** As the wallet takes it. */
    fun platform(): Host = Host(keys, secrets, clock)

    /** The same host as a restarted process would have it. */
    fun reopened(): JvmHost = JvmHost(folder, clock)

    /** What a shell does behind its prompt: the authorization key's signature over the shown bytes. */
    fun authorize(message: ByteArray): ByteArray = keys.authorize(message)
}
