package app.saifu

import app.saifu.scenario.Played
import app.saifu.scenario.Scenario
import app.saifu.scenario.World
import app.saifu.scenario.hash
import app.saifu.scenario.play
import app.saifu.scenario.read
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.Timeout
import java.nio.file.Path
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.nameWithoutExtension
import kotlin.io.path.writeText

/** Every scenario of the repository, played by wallets of this package. The gate compares the report with Rust's. */
@Timeout(600)
class ScenarioTest {
    @TestFactory
    fun `every scenario goes as it says`(): List<DynamicTest> =
        scenarios.map { scenario ->
            DynamicTest.dynamicTest(scenario.name) {
                val outcome = runBlocking(Dispatchers.Default) { play(scenario, world) }
                played += outcome
                assertTrue(outcome.ok) { "${outcome.failure}" }
            }
        }

    private companion object {
        val world = World()

        /** All of them are read, and refused if need be, before the first is played. */
        val scenarios: List<Scenario> = repository.resolve("tests/scenarios")
            .listDirectoryEntries("*.json")
            .sortedBy { it.nameWithoutExtension }
            .map { read(it, world.table) }
        val played = ArrayList<Played>()

        @AfterAll
        @JvmStatic
        fun report() {
            world.close()
            val report = jsonObject("scenarios" to played.map { it.document() }, "count" to played.size, "hash" to hash(scenarios))
            Path.of(System.getProperty("saifu.report")).writeText("$report\n")
        }
    }
}
