package app.saifu

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

/** Nothing is left behind, by the tests before it either: neither objects of the library nor threads. */
@Timeout(300)
class LeakTest {
    @Test
    fun `five hundred cycles of opening and closing leave nothing`() = stage {
        starter("taro", number(1))
        kill("taro")
        val (before, after) = aliveAround(500) { openAndClose("taro", it) }
        assertEquals(0L to 0L, before.objects to after.objects)
        assertTrue(after.threads <= before.threads) { "$before, $after" }
    }

    @Test
    fun `twenty thousand calls leave nothing but the wallet`() = stage {
        val wallet = starter("taro", number(1))
        val (before, after) = aliveAround(20_000) { wallet.callOften(it) }
        assertEquals(1L to 1L, before.objects to after.objects)
        assertTrue(after.threads <= before.threads) { "$before, $after" }
        assertEquals(0, uniffiContinuationHandleMap.size)
    }
}
