package app.saifu

import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import kotlin.time.Duration.Companion.seconds

/** Nothing is left behind: neither objects of the library nor threads. */
class LeakTest {
    private companion object {
        const val CYCLES = 500
        const val CALLS = 20_000

        /** Threads of pools come and go; a leak of one a cycle or a call is far above it. */
        const val THREADS_APART = 8
        val NOTHING = Diagnostics(wallets = 0uL, approvals = 0uL, subscriptions = 0uL, cancels = 0uL, calls = 0uL)
    }

    private suspend fun nothingLives() {
        withTimeout(60.seconds) { while (diagnostics() != NOTHING) delay(5) }
    }

    @Test
    @Timeout(300)
    fun `five hundred cycles of opening and closing leave nothing`() = stage {
        starter("taro", number(1))
        kill("taro")

        suspend fun cycle() {
            open("taro").home()
            kill("taro")
        }
        repeat(20) { cycle() }
        nothingLives()
        val before = threads()
        repeat(CYCLES) { cycle() }
        nothingLives()
        assertTrue(threads() <= before + THREADS_APART) { "${threads()} threads, $before before" }
    }

    @Test
    @Timeout(300)
    fun `twenty thousand calls leave nothing but the wallet`() = stage {
        val wallet = starter("taro", number(1))

        suspend fun calls(count: Int) {
            repeat(count) {
                when (it % 20) {
                    0 -> wallet.history().use { history -> history.newest(5u) }
                    1 -> wallet.topUps().use { topUps -> topUps.pending() }
                    2 -> wallet.account().use { account -> account.totp() }
                    3 -> wallet.codes().use { codes -> codes.current(Purpose.PAY) }
                    else -> wallet.home()
                }
            }
        }
        calls(1_000)
        settled()
        val before = threads()
        calls(CALLS)
        settled()
        assertEquals(NOTHING.copy(wallets = 1uL), diagnostics())
        assertTrue(threads() <= before + THREADS_APART) { "${threads()} threads, $before before" }
        assertEquals(0, uniffiContinuationHandleMap.size)
    }
}
