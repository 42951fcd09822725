package app.saifu

import app.saifu.test.TestHost
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path

/**
 * Whatever a host throws, the library hears a [HostException]. Without the guards an `Error` of a method that returns
 * nothing would be no failure at all: take `guard` out of `GuardedSecrets.retire` and the second test fails.
 */
class GuardsTest {
    @TempDir
    lateinit var folder: Path

    private fun calls(host: Host): Map<String, () -> Any?> =
        mapOf(
            "keys.create" to { host.keys.create(Role.DEVICE) },
            "keys.info" to { host.keys.info(Role.DEVICE) },
            "keys.sign" to { host.keys.sign(byteArrayOf(1)) },
            "keys.delete" to { host.keys.delete(Role.DEVICE) },
            "secrets.seal" to { host.secrets.seal(byteArrayOf(1)) },
            "secrets.unseal" to { host.secrets.unseal(byteArrayOf(1)) },
            "secrets.id" to { host.secrets.id() },
            "secrets.renew" to { host.secrets.renew() },
            "secrets.retire" to { host.secrets.retire() },
            "clock.read" to { host.clock.read() },
        )

    private fun throwing(thrown: () -> Throwable): Map<String, () -> Any?> =
        calls(guarded(Watched(TestHost(folder).platform(), { throw thrown() }).platform()))

    @Test
    fun `what a host says itself is passed on`() {
        for ((name, call) in throwing { HostException.NoScreenLock() }) {
            assertThrows(HostException.NoScreenLock::class.java, { call() }, name)
        }
    }

    @Test
    fun `anything else is unexpected, an error of the machine too`() {
        val throwables: List<() -> Throwable> =
            listOf({ StackOverflowError() }, { IllegalStateException("a secret") }, { OutOfMemoryError() })
        for (thrown in throwables) {
            for ((name, call) in throwing(thrown)) {
                val seen = assertThrows(HostException.Unexpected::class.java, { call() }, name)
                assertEquals(null, seen.cause, name)
            }
        }
    }

    @Test
    fun `every call of a host is guarded`() {
        assertEquals(Watched.CALLS.toSet(), calls(TestHost(folder).platform()).keys)
    }
}
