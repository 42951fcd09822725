package app.saifu

import com.sun.jna.Library
import com.sun.jna.Native
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

/** Bugs of the library, made on demand: they arrive as [WalletException.Bug] and everything goes on. */
class PanicTest {
    @Suppress("FunctionName")
    private interface LibC : Library {
        fun setenv(name: String, value: String, overwrite: Int): Int

        fun unsetenv(name: String): Int
    }

    private val libc = Native.load("c", LibC::class.java)

    /** The library reads its environment at each call; Java's copy of it would not do. */
    private inline fun <T> drilling(call: String, work: () -> T): T {
        libc.setenv("SAIFU_DRILL", "panic:$call", 1)
        try {
            return work()
        } finally {
            libc.unsetenv("SAIFU_DRILL")
        }
    }

    @Test
    fun `a panic in a call that does not wait is an error, and the wallet goes on`() = stage {
        val wallet = starter("taro", number(1))
        val error = drilling("home") { assertThrows(WalletException.Bug::class.java) { wallet.home() } }
        assertEquals("bug", error.info.name)
        assertEquals(WalletState.READY, wallet.home().state)
    }

    @Test
    fun `a panic in a call that waits is an error, and the wallet goes on`() = stage {
        val wallet = starter("taro", number(1))
        drilling("refresh") {
            assertThrows(WalletException.Bug::class.java) { runBlocking { wallet.refresh() } }
            assertThrows(WalletException.Bug::class.java) { runBlocking { wallet.refresh(null) } }
        }
        assertEquals(WalletState.READY, wallet.refresh().state)
        settled()
    }

    @Test
    fun `what a panic says does not cross the border`() = stage {
        val wallet = starter("taro", number(1))
        val error = drilling("home") { assertThrows(WalletException.Bug::class.java) { wallet.home() } }
        assertEquals(false, error.toString().contains("drill"), "$error")
    }
}
