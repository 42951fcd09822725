package app.saifu

import app.saifu.test.FakeWallet
import app.saifu.test.TestHost
import app.saifu.test.sandboxConfig
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Instant

/** What apps test with, from outside. */
class SupportTest {
    @Test
    fun `a host in memory and sandbox json are enough to sign up`() = stage {
        val host = TestHost(clock)
        openWallet(host.platform(), sandboxConfig(sandbox, folder.resolve("app"))).use { wallet ->
            wallet.account().signUp(number(7))
            assertEquals(WalletState.SIGNING_UP, wallet.home().state)
            // What one process has is there in the next.
            assertEquals(host.keys.info(Role.DEVICE).spki.toList(), host.reopened().keys.info(Role.DEVICE).spki.toList())
        }
    }

    @Test
    fun `a fake wallet says what leads on as the library does`() = stage {
        val wallet = add("taro", number(1))

        fun compared(): WalletState {
            val home = wallet.home()
            assertEquals(FakeWallet.emptyHome(home.state).wayOut, home.wayOut)
            return home.state
        }
        val seen = mutableListOf(compared())
        wallet.account().signUp(number(1))
        seen += compared()
        wallet.account().confirm(newestCode("taro"))
        seen += compared()
        wallet.lock()
        seen += compared()
        // All but the one that an issuer who forgets its devices brings about.
        assertEquals(WalletState.entries.toSet() - WalletState.PUT_ASIDE, seen.toSet())
    }

    @Test
    fun `a fake wallet is a wallet`() = runBlocking(Dispatchers.Default) {
        val fake = FakeWallet()
        val wallet: Wallet = fake
        val events = async(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) { wallet.events().toList() }
        fake.failure = FakeWallet.offline()
        val offline = runCatching { wallet.account().signUp(number(1)) }.exceptionOrNull()
        assertEquals("The issuer cannot be reached.", offline?.message)
        fake.failure = null
        wallet.use {
            it.account().signUp(number(1))
            assertEquals(WalletState.SIGNING_UP, it.home().state)
            val wrong = runCatching { it.account().confirm("1") }.exceptionOrNull() as WalletException.Refused
            assertEquals("wrong-code", wrong.info.problem)
            it.account().confirm(fake.smsCode)
            it.follow()
            it.followed()
            assertEquals(WalletState.READY, it.refresh().state)
            assertEquals(it.codes().next(Purpose.PAY), it.codes().current(Purpose.PAY))
            val topUp = it.topUps().prepareAtm(500).confirm(byteArrayOf())
            assertEquals(listOf(topUp.intent), it.topUps().pending().map(PendingEntry::id))
            assertTrue(it.history().newest(9).entries.isEmpty())
            fake.tell(WalletEvent.Other(1, Instant.EPOCH, 500, 0))
            it.reset(false)
            assertEquals(listOf<PendingEntry>(), it.topUps().pending())
        }
        assertEquals(1, events.await().size)
        val made = "signUp signUp confirm confirm follow followed refresh next prepareAtm confirmTopUp reset close"
        assertEquals(made, fake.calls.joinToString(" "))
    }
}
