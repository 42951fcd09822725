package app.saifu

import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.security.KeyPairGenerator
import java.security.spec.ECGenParameterSpec
import java.time.Instant
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit.SECONDS
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * Hosts that do what no host may: the wallet answers with its own errors, waits for nobody for ever, and is whole once the
 * host behaves again. What was approved is never lost and never sent twice: the issuer's holds say so.
 */
class HostileHostTest {
    /** What goes wrong at which call; nothing while it is null. */
    private class Trouble {
        @Volatile
        var at: String? = null

        @Volatile
        var thrown: () -> Throwable = { IllegalStateException() }

        @Volatile
        var answer: (Any?) -> Any? = { it }
        val met = AtomicInteger()

        fun over(host: Host): Host = Watched(host, ::before, ::after).platform()

        private fun before(call: String) {
            if (call != at) return
            met.incrementAndGet()
            throw thrown()
        }

        private fun after(call: String, given: Any?): Any? {
            if ("answer:$call" != at) return given
            met.incrementAndGet()
            return answer(given)
        }
    }

    /** The flows that use a host. What they throw must be the wallet's own. */
    private suspend fun Stage.flows(name: String): List<Throwable> {
        val failed = ArrayList<Throwable>()

        suspend fun flow(work: suspend (Wallet) -> Unit) {
            runCatching { withTimeout(60.seconds) { work(wallet(name)) } }.onFailure(failed::add)
        }
        flow { it.home() }
        flow { it.lock() }
        flow { it.unlock() }
        flow { it.refresh() }
        flow { wallet -> wallet.codes().next(Purpose.PAY) }
        flow { approve(name, 1) }
        return failed
    }

    private suspend fun Stage.approve(name: String, yen: Long): TopUp =
        wallet(name).topUps().prepareAtm(yen).let { it.confirm(person(name).keys.authorize(it.signingBytes())) }

    /** The wallet works, and it shows exactly what the issuer holds for it. */
    private suspend fun Stage.whole(name: String) {
        settled()
        val wallet = wallet(name)
        wallet.unlock()
        val home = wallet.refresh()
        val pending = wallet.topUps().pending()
        assertTrue(pending.all { it.what is PendingWhat.Accepted }, "$pending")
        assertEquals(DAY_YEN - checkNotNull(home.topUpLeftYen), pending.sumOf { it.topUp.yen }, "what is held")
    }

    private fun assertOwn(error: Throwable) {
        val own = error is WalletException && error !is WalletException.Bug && error !is WalletException.Cancelled
        assertTrue(own) { error.stackTraceToString() }
    }

    private val throwables: List<() -> Throwable> = listOf(
        { HostException.Temporary() },
        { HostException.UserDeclined() },
        { HostException.NoScreenLock() },
        { HostException.Unexpected() },
        { IllegalStateException("with a secret in it") },
        { InterruptedException() },
        { StackOverflowError() },
        { OutOfMemoryError("not really") },
        { AssertionError() },
        @Suppress("DEPRECATION", "removal")
        { ThreadDeath() },
    )

    @Test
    fun `whatever a host throws, at whatever call, is an error of the wallet and is got over`() = stage {
        val trouble = Trouble()
        starter("taro", number(1), seen = trouble::over)
        for (call in Watched.CALLS) {
            for (thrown in throwables) {
                trouble.thrown = thrown
                trouble.at = call
                flows("taro").forEach(::assertOwn)
                trouble.at = null
                whole("taro")
            }
        }
        assertTrue(trouble.met.get() > throwables.size, "hosts were asked ${trouble.met} times")
    }

    @Test
    fun `opening over a host that throws is an error, and the folder opens once it does not`() = stage {
        val trouble = Trouble()
        starter("taro", number(1), seen = trouble::over)
        kill("taro")
        for (call in listOf("secrets.unseal", "secrets.id", "clock.read")) {
            for (thrown in throwables) {
                trouble.thrown = thrown
                trouble.at = call
                assertOwn(checkNotNull(runCatching { open("taro") }.exceptionOrNull()) { "$call answered nothing and it opened" })
            }
        }
        trouble.at = null
        open("taro")
        whole("taro")
    }

    @Test
    fun `a host that answers nonsense is an error of the wallet and is got over`() = stage {
        val trouble = Trouble()
        starter("taro", number(1), seen = trouble::over)
        val another = KeyPairGenerator.getInstance("EC").run {
            initialize(ECGenParameterSpec("secp256r1"))
            generateKeyPair().public.encoded
        }
        val bytes = listOf(byteArrayOf(), ByteArray(64) { 7 }, ByteArray(1_000_000) { 1 }, ByteArray(72) { 0x30 })
        val nonsense: Map<String, List<Any?>> = mapOf(
            "keys.info" to bytes.map { HostKey(it, true) } + HostKey(another, false),
            "keys.create" to bytes.map { HostKey(it, true) } + HostKey(another, false),
            "keys.sign" to bytes,
            "secrets.seal" to bytes,
            "secrets.unseal" to bytes,
            "secrets.id" to listOf(null, SealName(byteArrayOf(1), 1L), SealName(ByteArray(16) { 9 }, Long.MAX_VALUE)),
            "secrets.renew" to listOf(SealName(byteArrayOf(), 0L)),
            "clock.read" to listOf(ClockReading(Instant.EPOCH, 0, byteArrayOf()), ClockReading(Instant.MAX, -1, ByteArray(16))),
        )
        for ((call, answers) in nonsense) {
            for (answer in answers) {
                trouble.answer = { answer }
                trouble.at = "answer:$call"
                flows("taro").forEach(::assertOwn)
                trouble.at = null
                whole("taro")
            }
        }
        assertTrue(trouble.met.get() > 0)
    }

    @Test
    fun `a host that blocks for a while is waited for, and nobody else waits`() = stage { scope ->
        val blocked = CountDownLatch(1)
        val asked = CountDownLatch(1)
        var block = false
        val seen = { host: Host ->
            Watched(host, { call ->
                if (block && call == "keys.sign") {
                    asked.countDown()
                    blocked.await()
                }
            }).platform()
        }
        val wallet = starter("taro", number(1), seen = seen)
        wallet.lock()
        wallet.unlock()
        block = true
        val refreshed = scope.async { wallet.refresh() }
        assertTrue(asked.await(20, SECONDS), "the host is asked to sign")
        repeat(50) {
            wallet.home()
            delay(20)
        }
        assertTrue(refreshed.isActive, "it waits for the host")
        blocked.countDown()
        assertEquals(WalletState.READY, refreshed.await().state)
    }

    @Test
    fun `a host that never comes back is given up`() = stage {
        val forever = CountDownLatch(1)
        var block = false
        val seen = { host: Host -> Watched(host, { if (block && it == "keys.sign") forever.await() }).platform() }
        val wallet = starter("taro", number(1), seen = seen)
        wallet.lock()
        wallet.unlock()
        block = true
        val begun = TimeSource.Monotonic.markNow()
        val error = runCatching { wallet.refresh() }.exceptionOrNull()
        assertTrue(error is WalletException.Key && begun.elapsedNow() < 60.seconds, "$error after ${begun.elapsedNow()}")
        block = false
        forever.countDown()
        whole("taro")
    }

    @Test
    fun `a host may ask the wallet while the wallet asks the host`() = stage {
        var wallet: Wallet? = null
        val depth = ThreadLocal.withInitial { 0 }
        val seen = { host: Host ->
            Watched(host, { call ->
                val asked = wallet
                if (asked != null && depth.get() == 0) {
                    depth.set(1)
                    try {
                        asked.home()
                        asked.topUps().pending()
                        asked.account().let { runCatching { it.totp() } }
                        if (call == "keys.sign") runBlocking { asked.history().newest(1) }
                    } finally {
                        depth.set(0)
                    }
                }
            }).platform()
        }
        wallet = starter("taro", number(1), seen = seen)
        wallet.lock()
        wallet.unlock()
        assertEquals(listOf<Throwable>(), flows("taro"))
        whole("taro")
    }

    @Test
    fun `an observer may throw, ask the wallet and close it`() = stage {
        val wallet = starter("taro", number(1), balanceYen = 3_000)
        val seen = AtomicInteger()
        val ended = CountDownLatch(1)
        wallet.follow()
        wallet.followed()
        wallet.raw.subscribe(
            object : Observer {
                override fun onEvent(event: WalletEvent) {
                    wallet.home()
                    if (seen.incrementAndGet() == 1) throw StackOverflowError()
                    runBlocking { wallet.close() }
                }

                override fun onFollowing(following: Following): Unit = throw OutOfMemoryError("not really")

                override fun onEnd() {
                    ended.countDown()
                    throw IllegalStateException()
                }
            },
        )
        repeat(2) {
            scan(wallet.codes().next(Purpose.PAY), 100)
        }
        assertTrue(ended.await(30, SECONDS), "it ends, after ${seen.get()} events")
        assertEquals(2, seen.get())
        val person = person("taro")
        person.wallet = null
        val folder = config(person.vault)
        openWallet(person.platform, folder).use { assertEquals(2_800L, it.refresh().balanceYen) }
    }
}
