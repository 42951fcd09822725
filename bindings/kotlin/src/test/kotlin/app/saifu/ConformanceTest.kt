package app.saifu

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
import kotlin.io.path.writeText

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

    @TestFactory
    fun `the host conforms`(): List<DynamicTest> =
        files.map { DynamicTest.dynamicTest(it.name) { assertEquals(listOf<String>(), play(it, subject())) } }

    @Test
    fun `every file of the suite is played`() {
        assertEquals(listOf("authorization.json", "clock.json", "keys.json", "secrets.json"), files.map { it.name })
    }

    private fun answering(call: String, lie: (Any?) -> Any?): (Host) -> Host =
        { Watched(it, {}, { asked, answer -> if (asked == call) lie(answer) else answer }).platform() }

    @Test
    fun `a host that is wrong is found by the rule it breaks`() {
        var sealed: Byte = 0
        val inClear = { host: Host ->
            val clear = object : Secrets by host.secrets {
                override fun seal(plain: ByteArray) = plain + sealed++

                override fun unseal(sealed: ByteArray) = sealed.copyOf(maxOf(sealed.size - 1, 0))
            }
            host.copy(secrets = clear)
        }
        val hoarding = { host: Host ->
            val hoarder = object : Secrets by host.secrets {
                override fun retire() = Unit
            }
            host.copy(secrets = hoarder)
        }
        val cut = answering("keys.sign") { (it as ByteArray).dropLast(1).toByteArray() }
        val turned = answering("keys.info") { (it as HostKey).run { copy(hardware = !hardware) } }
        val readings = AtomicLong(10_000_000)
        val falling = answering("clock.read") { (it as ClockReading).copy(elapsedMs = readings.addAndGet(-1)) }
        val wrong = listOf(
            Triple("keys", "a signature is DER over SHA-256 of the whole message, by the device key", cut),
            Triple("keys", "info reports the key that create made", turned),
            Triple("secrets", "a sealed text does not contain the secret", inClear),
            Triple("secrets", "a sealed text that is changed, cut or extended anywhere does not open", inClear),
            Triple("secrets", "what a retired key sealed is Gone, also after a restart", hoarding),
            Triple("clock", "elapsed time never falls", falling),
        )
        for ((file, rule, host) in wrong) {
            val found = play(suite.resolve("$file.json"), subject(host))
            assertTrue(rule in found, "$rule: $found")
        }
    }

    @Test
    fun `a step that is not known ends the play`() {
        for (step in listOf(
            """{"do": "keys.steal"}""",
            """{"do": "reopen", "expect": {"luck": true}, "rule": "r"}""",
            """{"do": "secrets.unseal", "sealed": "nothing"}""",
        )) {
            val file = folder.resolve("a.json").apply { writeText("""{"about": "a", "steps": [$step]}""") }
            assertThrows(RuntimeException::class.java, { play(file, subject()) }, step)
        }
    }
}
