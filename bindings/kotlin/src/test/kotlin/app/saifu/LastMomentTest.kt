package app.saifu

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Order
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import kotlin.coroutines.CoroutineContext
import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * Calls given up while their result is on its way, between its arrival and the coroutine's waking: what they bring is let go.
 * The control is the generated call without our overload: it leaves approvals behind for good. So this runs last, after the
 * tests that find nothing left.
 */
@Order(Int.MAX_VALUE)
@Timeout(600)
class LastMomentTest {
    /** Cancels [job] a moment after something of it has been woken. */
    private class Dispatcher(private val random: Random) : CoroutineDispatcher() {
        @Volatile
        var job: Job? = null

        override fun dispatch(context: CoroutineContext, block: Runnable) {
            val woken = TimeSource.Monotonic.markNow()
            val moment = random.nextInt(300).microseconds
            Dispatchers.IO.dispatch(context) {
                while (woken.elapsedNow() < moment) Thread.onSpinWait()
                job?.cancel()
            }
            Dispatchers.Default.dispatch(context, block)
        }
    }

    private val random = Random(20_261_123)

    /** Gives [call] up so many times, and counts the approvals that nobody can let go of any more. */
    private suspend fun CoroutineScope.left(tries: Int, call: suspend () -> Approval): Long {
        val before = diagnostics().approvals
        repeat(tries) {
            val dispatcher = Dispatcher(random)
            val job = async(dispatcher, CoroutineStart.UNDISPATCHED) { runCatching { call() } }
            dispatcher.job = job
            job.join()
            if (!job.isCancelled) job.await().onSuccess { (it as OpenApproval).raw.destroy() }
            settled()
        }
        // What Kotlin knows of, its collector finds.
        withTimeoutOrNull(2.seconds) {
            while (diagnostics().approvals > before) {
                System.gc()
                delay(20)
            }
        }
        return diagnostics().approvals - before
    }

    @Test
    fun `a result on its way to a coroutine that ends is let go`() = stage { scope ->
        starter("taro", number(1)).topUps().let { topUps ->
            // The moment is microseconds long, and how often it is met is up to the machine: as often as it needs.
            var tries = 0
            do {
                tries += BATCH
                assertTrue(tries <= MOST) { "the generated call leaves none of $MOST" }
            } while (scope.left(BATCH) { topUps.prepareAtm(1, null) } == 0L)
            assertEquals(0L, scope.left(maxOf(4 * tries, FEWEST)) { topUps.prepareAtm(1) })
        }
    }

    private companion object {
        const val BATCH = 100
        const val FEWEST = 400
        const val MOST = 20_000
    }
}
