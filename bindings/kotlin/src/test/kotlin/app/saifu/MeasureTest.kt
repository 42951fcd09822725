package app.saifu

import kotlinx.coroutines.delay
import kotlinx.serialization.json.JsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import java.nio.file.Path
import kotlin.io.path.writeText
import kotlin.time.Duration
import kotlin.time.DurationUnit.NANOSECONDS
import kotlin.time.TimeSource

/**
 * What the FFI boundary costs: the time of a call and of a cold start, and what many calls and openings leave. With
 * `SAIFU_MEASURE=FILE` it runs long, with the library that ships, and writes its figures there; without, it is a test that
 * what is measured works and leaves nothing, neither objects of the library nor threads. Times are never judged here.
 */
class MeasureTest {
    private val file: Path? = System.getenv("SAIFU_MEASURE")?.let(Path::of)

    private fun count(what: String, long: Int, short: Int): Int =
        if (file == null) short else System.getenv("SAIFU_MEASURE_$what")?.toInt() ?: long

    private val timed = count("CALLS", long = 100_000, short = 1_000)
    private val calls = count("CALLS", long = 100_000, short = 20_000)
    private val openings = count("OPENINGS", long = 10_000, short = 500)
    private val starts = count("STARTS", long = 20, short = 2)

    @Test
    @Timeout(1_800)
    fun `calls, cold starts and openings are measured, and leave nothing`() = stage {
        val wallet = starter("taro", number(1))
        val times = times(wallet)
        val many = aliveAround(calls) { wallet.callOften(it) }
        kill("taro")
        val person = person("taro")
        val cold = List(starts) { ColdStart.measure(config(person.vault), person.folder.resolve("host")) }
        val opened = aliveAround(openings) { openAndClose("taro", it) }

        for (time in times) assertTrue(time.ns > 0 && time.withoutPauseNs > 0, time.name)
        assertTrue(cold.isNotEmpty() && cold.all { minOf(it.load, it.open, it.code) > 0 && it.all > it.load + it.open + it.code })
        // The wallet that was called, and nothing of one that is closed, nor of the tests before.
        for ((around, alive) in listOf(many to 1L, opened to 0L)) {
            val (before, after) = around
            assertEquals(alive to alive, before.objects to after.objects)
            assertTrue(after.threads <= before.threads) { "$before, $after" }
        }
        assertEquals(0, uniffiContinuationHandleMap.size)
        val figures = jsonObject(
            "language" to "kotlin",
            "calls" to times.map {
                jsonObject("name" to it.name, "count" to it.count, "ns" to it.ns, "without_pause_ns" to it.withoutPauseNs)
            },
            "cold" to cold.map {
                jsonObject("load_ms" to it.load, "open_ms" to it.open, "code_ms" to it.code, "all_ms" to it.all)
            },
            "openings" to JsonObject(jsonObject("cycles" to openings) + left(opened)),
            "many" to JsonObject(jsonObject("calls" to calls) + left(many)),
        )
        file?.writeText("$figures\n")
    }

    /**
     * The mean time of one call, nanoseconds: in batches with a collection before each, which is not counted, as in an app
     * that calls now and then; and without a pause, when what JNA keeps of each call outruns the collector.
     */
    private class Time(val name: String, val count: Int, val ns: Double, val withoutPauseNs: Double)

    private suspend fun times(wallet: Wallet): List<Time> =
        RawCancel().use { cancel ->
            val (account, topUps, history) = Triple(wallet.account(), wallet.topUps(), wallet.history())
            listOf(
                time("is_cancelled", timed) { cancel.isCancelled() },
                time("pending", timed) { topUps.pending() },
                time("home", timed) { wallet.home() },
                time("totp", timed) { account.totp() },
                time("newest", timed / 10) { history.newest(1) },
            )
        }

    private suspend fun time(name: String, count: Int, call: suspend () -> Any?): Time {
        suspend fun timed(calls: Int): Duration {
            val begun = TimeSource.Monotonic.markNow()
            repeat(calls) { call() }
            return begun.elapsedNow()
        }
        timed(count / 10)
        var passed = Duration.ZERO
        for (batch in (0 until count).chunked(BATCH)) {
            System.gc()
            delay(COLLECTED_MS)
            passed += timed(batch.size)
        }
        return Time(name, count, passed.toDouble(NANOSECONDS) / count, timed(count).toDouble(NANOSECONDS) / count)
    }

    private fun left(around: Pair<Alive, Alive>): JsonObject {
        val (before, after) = around
        return jsonObject(
            "live_before" to before.objects,
            "live_after" to after.objects,
            "threads_before" to before.threads,
            "threads_after" to after.threads,
            "rss_before_kib" to before.rssKib,
            "rss_after_kib" to after.rssKib,
        )
    }

    private companion object {
        const val BATCH = 1_000

        /** What the collector found is freed on another thread; it has this long. */
        const val COLLECTED_MS = 20L
    }
}
