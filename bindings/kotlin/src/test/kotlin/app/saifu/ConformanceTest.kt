package app.saifu

import app.saifu.conformance.BrokenFile
import app.saifu.conformance.Subject
import app.saifu.conformance.play
import app.saifu.test.TestHost
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicLong
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name

/** The test host against the suite that every host must pass, and the suite against hosts that are wrong on purpose. */
class ConformanceTest {
    @TempDir
    lateinit var folder: Path

    private val suite: Path = repository.resolve("core/host/conformance")
    private val files = suite.listDirectoryEntries("*.json").sorted()

    private fun subject(seen: (Host) -> Host = { it }): Subject {
        val host = TestHost(folder.resolve("${System.nanoTime()}"))
        return Subject(open = { seen(host.reopened().platform()) }, authorize = { _, message -> host.authorize(message) })
    }

    private fun findings(file: String, after: (String, Any?) -> Any?): List<String> =
        play(suite.resolve(file), subject { Watched(it, {}, after).platform() })

    @TestFactory
    fun `the host conforms`(): List<DynamicTest> =
        files.map { DynamicTest.dynamicTest(it.name) { assertEquals(listOf<String>(), play(it, subject())) } }

    @Test
    fun `every file of the suite is played`() {
        assertEquals(listOf("authorization.json", "clock.json", "keys.json", "secrets.json"), files.map { it.name })
    }

    @Test
    fun `a signature that is cut is found`() {
        val found = findings("keys.json") { call, answer ->
            if (call == "keys.sign") (answer as ByteArray).dropLast(1).toByteArray() else answer
        }
        assertTrue("a signature is DER over SHA-256 of the whole message, by the device key" in found, "$found")
    }

    @Test
    fun `a key that changes its hardware claim is found`() {
        val found = findings("keys.json") { call, answer ->
            if (call == "keys.info") (answer as HostKey).run { copy(hardware = !hardware) } else answer
        }
        assertTrue("info reports the key that create made" in found, "$found")
    }

    @Test
    fun `sealing in clear is found`() {
        var sealed: Byte = 0
        val found = play(
            suite.resolve("secrets.json"),
            subject { host ->
                val clear = object : Secrets by host.secrets {
                    override fun seal(plain: ByteArray) = plain + sealed++

                    override fun unseal(sealed: ByteArray) = sealed.copyOf(maxOf(sealed.size - 1, 0))
                }
                Host(host.keys, clear, host.clock)
            },
        )
        assertTrue("a sealed text does not contain the secret" in found, "$found")
        assertTrue("a sealed text that is changed, cut or extended anywhere does not open" in found, "$found")
    }

    @Test
    fun `a retired key that still opens is found`() {
        val found = play(
            suite.resolve("secrets.json"),
            subject { host ->
                val hoarder = object : Secrets by host.secrets {
                    override fun retire() = Unit
                }
                Host(host.keys, hoarder, host.clock)
            },
        )
        assertTrue("what a retired key sealed is Gone, also after a restart" in found, "$found")
    }

    @Test
    fun `a clock that falls is found`() {
        val readings = AtomicLong(10_000_000)
        val found = findings("clock.json") { call, answer ->
            if (call == "clock.read") (answer as ClockReading).copy(elapsedMs = readings.addAndGet(-1)) else answer
        }
        assertTrue("elapsed time never falls" in found, "$found")
    }

    @Test
    fun `a file with what the format does not have is refused`() {
        val steps = listOf(
            """{"do": "keys.steal", "role": "device"}""",
            """{"do": "keys.info"}""",
            """{"do": "keys.info", "role": "owner"}""",
            """{"do": "keys.info", "role": "device", "again": 1}""",
            """{"do": "keys.info", "role": "device", "expect": {"error": "lost"}, "rule": "r"}""",
            """{"do": "keys.info", "role": "device", "expect": {"colour": "red"}, "rule": "r"}""",
            """{"do": "keys.info", "role": "device", "expect": {"error": "gone"}}""",
            """{"do": "keys.info", "role": "device", "expect": {"error": "gone", "same": "a"}, "rule": "r"}""",
            """{"do": "keys.info", "role": "device", "expect": {"same": "a"}, "rule": "r"}""",
            """{"do": "secrets.unseal", "sealed": "a"}""",
            """{"do": "secrets.seal", "plain": {"fill": 256, "len": 1}}""",
            """{"do": "clock.read", "expect": {"wall_ms": {"from": 1}}, "rule": "r"}""",
        )
        for (step in steps) {
            assertThrows(BrokenFile::class.java, { play("""{"about": "a", "steps": [$step]}""", subject()) }, step)
        }
    }
}
