package app.saifu

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.seconds

/** Events as a flow, and the end of a wallet. */
class EventsTest {
    private suspend fun subscriptions(expected: Long) {
        withTimeout(20.seconds) { while (diagnostics().subscriptions != expected) delay(5) }
    }

    @Test
    fun `a payment at a till arrives at the collector`() = stage { scope ->
        val wallet = starter("taro", number(1), balanceYen = 5_000)
        wallet.follow()
        wallet.followed()
        val paid = scope.async(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
            wallet.events().first { it is WalletEvent.Entry } as WalletEvent.Entry
        }
        val code = wallet.codes().next(Purpose.PAY)
        scan(code, 700)
        val event = withTimeout(20.seconds) { paid.await() }
        assertEquals(-700L to 4_300L, event.entry.yen to event.balanceYen)
    }

    @Test
    fun `without an issuer the wish stays, says why, and waiting for it ends with its coroutine`() = stage { scope ->
        starter("taro", number(1))
        kill("taro")
        val person = person("taro")
        // Nobody listens there.
        val nobody = config(person.vault).copy(customerUrl = "https://localhost:1")
        val wallet = openWallet(person.platform, nobody).also { person.wallet = it }
        val standings = scope.async(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
            wallet.following().transformWhile { standing ->
                emit(standing)
                standing !is Following.Waiting
            }.toList()
        }
        wallet.follow()
        val told = withTimeout(20.seconds) { standings.await() }
        assertEquals(Following.Off, told.first())
        assertEquals("offline", (told.last() as Following.Waiting).why)
        assertTrue(wallet.home().following.let { it is Following.Waiting || it is Following.Connecting })
        val waiting = scope.async(start = CoroutineStart.UNDISPATCHED) { wallet.followed() }
        assertEquals(1L, diagnostics().calls)
        waiting.cancelAndJoin()
        settled()
        // Nor does closing wait for it.
        val closed = scope.async(start = CoroutineStart.UNDISPATCHED) { runCatching { wallet.followed() }.exceptionOrNull() }
        wallet.close()
        assertEquals("closed", (closed.await() as WalletException.Locked).info.detail)
    }

    @Test
    fun `a collector that is cancelled takes its subscription with it`() = stage { scope ->
        val wallet = starter("taro", number(1))
        val collectors = List(3) { scope.launch(Dispatchers.Unconfined) { wallet.events().collect {} } }
        subscriptions(3L)
        collectors.first().cancelAndJoin()
        subscriptions(2L)
        collectors.forEach { it.cancelAndJoin() }
        subscriptions(0L)
    }

    @Test
    fun `the flow ends when the wallet is closed`() = stage { scope ->
        val wallet = starter("taro", number(1))
        val all = scope.async(Dispatchers.Unconfined) { wallet.events().toList() }
        subscriptions(1L)
        wallet.close()
        assertEquals(listOf<WalletEvent>(), withTimeout(20.seconds) { all.await() })
        subscriptions(0L)
    }

    @Test
    fun `use closes the wallet whatever happens, and the folder is free then`() = stage { scope ->
        val wallet = starter("taro", number(1))
        val person = person("taro")
        person.wallet = null
        val bug = runCatching { wallet.use { error("a bug of the app") } }.exceptionOrNull()
        assertEquals("a bug of the app", bug?.message)
        val folder = config(person.vault)
        openWallet(person.platform, folder).use { assertEquals(WalletState.READY, it.home().state) }

        val opened = CompletableDeferred<Unit>()
        val user = scope.launch {
            openWallet(person.platform, folder).use {
                opened.complete(Unit)
                delay(60.seconds)
            }
        }
        opened.await()
        user.cancelAndJoin()
        open("taro")
    }

    @Test
    fun `a closed wallet says so`() = stage {
        val wallet = starter("taro", number(1))
        wallet.close()
        wallet.close()
        val error = runCatching { wallet.refresh() }.exceptionOrNull()
        assertTrue(error is WalletException.Locked && error.info.detail == "closed", "$error")
    }

    @Test
    fun `a cancelled coroutine ends with its own exception and not with the library's`() = stage { scope ->
        val wallet = starter("taro", number(1))
        val call = scope.async(start = CoroutineStart.UNDISPATCHED) { wallet.refresh() }
        call.cancel()
        val error = runCatching { call.await() }.exceptionOrNull()
        assertTrue(error is CancellationException, "$error")
        settled()
        assertEquals(0L, diagnostics().cancels)
    }
}
