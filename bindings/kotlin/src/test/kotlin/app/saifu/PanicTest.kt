package app.saifu

import app.saifu.test.TestHost
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Duration

/**
 * Bugs of the library, made on demand in every call that can fail: they arrive as [WalletException.Bug], and everything goes
 * on. The control is the same call without the drill, which is no bug.
 */
class PanicTest {
    /** A call that can fail: what its drill is called, how the wallet refuses it here if it does, and the call itself. */
    private class Call(val drill: String, val refused: String? = null, val make: suspend (RawCancel?) -> Any?)

    /** All of them, by their names in `bindings/api.txt`, in an order in which each can be made. */
    private suspend fun Stage.calls(name: String): Map<String, Call> {
        val wallet = wallet(name)
        val (account, topUps, codes) = Triple(wallet.account(), wallet.topUps(), wallet.codes())
        val approval = topUps.prepareAtm(1_000)
        val signature = person(name).keys.authorize(approval.signingBytes())
        val silent = object : Observer {
            override fun onEvent(event: WalletEvent) = Unit

            override fun onFollowing(following: Following) = Unit

            override fun onEnd() = Unit
        }
        // A host seals for one folder only.
        val host = TestHost(folder.resolve("another-host")).platform()
        val another = config(folder.resolve("another"))
        val empty = add("hanako", number(3))
        return mapOf(
            "Wallet.open" to Call("open") { openWallet(host, another).close() },
            "Wallet.home" to Call("home") { wallet.home() },
            "Wallet.lock" to Call("lock") { wallet.lock() },
            "Wallet.unlock" to Call("unlock") { wallet.unlock() },
            "Wallet.set_patience" to Call("set_patience") { wallet.setPatience(Duration.ofSeconds(10)) },
            "Wallet.subscribe" to Call("subscribe") { told { wallet.raw.subscribe(silent) }.use(RawSubscription::cancel) },
            "Wallet.refresh" to Call("refresh") { wallet.refresh(it) },
            "Wallet.follow" to Call("follow") { wallet.follow() },
            "Wallet.followed" to Call("followed") { wallet.followed(it) },
            "Wallet.reset" to Call("reset") { empty.reset(false, it) },
            "Account.sign_up" to Call("sign_up", "already-signed-up") { account.signUp(number(2), it) },
            "Account.sign_up_in_progress" to Call("sign_up_in_progress") { account.signUpInProgress() },
            "Account.confirm" to Call("confirm", "invalid-input") { account.confirm("000000", it) },
            "Account.totp" to Call("totp") { account.totp() },
            "TopUps.prepare_atm" to Call("prepare_atm") { topUps.prepareAtm(2_000, it) },
            "TopUps.pending" to Call("pending") { topUps.pending() },
            "Approval.confirm" to Call("confirm_top_up") { approval.confirm(signature, it) },
            "Codes.next" to Call("next") { codes.next(Purpose.PAY, it) },
            "Codes.current" to Call("current") { codes.current(Purpose.PAY) },
            "History.newest" to Call("newest") { cancel -> wallet.history().newest(1, cancel) },
        )
    }

    @Test
    fun `a panic in any call is an error, and the same call works then`() = stage {
        starter("taro", number(1))
        val calls = calls("taro")
        assertEquals(Api.fallibleCalls(), calls.keys, "every call that can fail has a drill")
        for ((name, call) in calls) {
            for (cancel in listOf(null, RawCancel())) {
                val bug = drilling("panic:${call.drill}") { runCatching { call.make(cancel) }.exceptionOrNull() }
                assertTrue(bug is WalletException.Bug, "$name: $bug")
                cancel?.destroy()
            }
            val refusal = (runCatching { call.make(null) }.exceptionOrNull() as WalletException?)?.info?.name
            assertEquals(call.refused, refusal, "$name without a drill")
        }
        settled()
        assertEquals(1_000L, wallet("taro").topUps().pending().single().topUp.yen, "what was approved is sent once")
        assertEquals(WalletState.READY, wallet("taro").refresh().state)
    }

    @Test
    fun `what a panic says does not cross the FFI boundary`() = stage {
        val wallet = starter("taro", number(1))
        val bug = drilling("panic:home") { runCatching { wallet.home() }.exceptionOrNull() }
        assertNotNull(bug)
        assertFalse("drill" in "$bug ${(bug as WalletException).info}", "$bug")
    }
}
