package app.saifu

import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.readLines
import kotlin.io.path.readText
import kotlin.time.Duration.Companion.seconds

// What a wallet is made to do over and over, and what that leaves alive: for the tests of leaks and for the measurement.

/** Threads that the JVM starts and ends for itself, to compile and to collect. */
private val OWN_THREADS = listOf("C1 Compiler", "C2 Compiler", "GC Thread", "G1 ")

/** Longer than pools keep a thread that has nothing to do. */
private val POOLS_SHRINK = 90.seconds

/** Less memory than that is not waited for. */
private const val NOTICED_KIB = 4_096

/** Opens and closes the wallet of [name] so many times. */
suspend fun Stage.openAndClose(name: String, cycles: Int) {
    repeat(cycles) {
        open(name).home()
        kill(name)
    }
}

/** A mix of calls that ask nobody. */
suspend fun Wallet.callOften(count: Int) {
    repeat(count) {
        when (it % 20) {
            0 -> history().newest(5)
            1 -> topUps().pending()
            2 -> account().totp()
            3 -> codes().current(Purpose.PAY)
            else -> home()
        }
    }
}

/** What is alive in this process: objects of the library, threads, and how much memory is in use. */
data class Alive(val objects: Long, val threads: Int, val rssKib: Long)

/** Does [work] so many times, a tenth of it before as a warm-up, and gives what was alive before it and after it. */
suspend fun aliveAround(count: Int, work: suspend (Int) -> Unit): Pair<Alive, Alive> {
    work(count / 10)
    settled()
    val before = alive()
    work(count)
    settled()
    withTimeoutOrNull(POOLS_SHRINK) {
        while (objects() > before.objects || threads() > before.threads) {
            // Of a closed wallet the collector finds the objects.
            System.gc()
            delay(100)
        }
    }
    return before to alive()
}

private suspend fun alive(): Alive {
    var rss = Long.MAX_VALUE
    // Memory comes back by turns: what the collector finds, a thread of JNA's frees then.
    while (true) {
        System.gc()
        delay(100)
        val now = rssKib()
        if (now > rss - NOTICED_KIB) return Alive(objects(), threads(), now)
        rss = now
    }
}

private fun objects(): Long = diagnostics().run { wallets + approvals + subscriptions + cancels + calls }

/** How many threads this process has, the library's among them, without the JVM's own. */
private fun threads(): Int =
    Files.list(Path.of("/proc/self/task")).use { tasks ->
        // A thread may end while it is looked at.
        val names = tasks.toList().mapNotNull { runCatching { it.resolve("comm").readText() }.getOrNull() }
        names.count { name -> OWN_THREADS.none(name::startsWith) }
    }

private fun rssKib(): Long {
    val line = Path.of("/proc/self/status").readLines().first { it.startsWith("VmRSS:") }
    return line.filter(Char::isDigit).toLong()
}
