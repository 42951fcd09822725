package app.saifu

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.minutes

/**
 * A thousand calls given up, every asynchronous one of them by its coroutine and by its handle, after random delays and at
 * named points: before it begins, and while the host is asked for a signature, a sealing or the time. The caller sees its
 * own exception or a result; the wallet and the issuer agree afterwards. What sees to that is that work which has begun goes
 * on to its recorded end, whoever waits; the drill `abandon` takes that away, and then they disagree.
 */
@Timeout(600)
class CancellationTest {
    /** Where a call is given up. */
    private sealed interface Point {
        data object BeforeIt : Point

        data class After(val microseconds: Long) : Point

        /** When the host is asked for [call] the [turn]-th time. */
        data class During(val call: String, val turn: Int) : Point
    }

    /** Gives up when the host is asked; nothing while it is null. */
    private val armed = AtomicReference<Pair<Point.During, () -> Unit>>()
    private val turns = AtomicInteger()
    private val hit = AtomicInteger()
    private val random = Random(20_261_123)

    private fun watched(host: Host): Host = Watched(host, ::asked).platform()

    private fun asked(call: String) {
        val (point, giveUp) = armed.get() ?: return
        if (call == point.call && turns.incrementAndGet() == point.turn) {
            hit.incrementAndGet()
            giveUp()
        }
    }

    private fun points(count: Int): List<Point> {
        val named = List(3) { Point.During("clock.read", it + 1) } + Point.During("keys.sign", 1) +
            Point.During("secrets.seal", 1) + Point.BeforeIt
        return List(count) { if (it % 2 == 0) Point.After(random.nextLong(30_000)) else named[it / 2 % named.size] }
    }

    /** Begins [call], gives it up at [point], and returns its value if it had one by then. */
    private suspend fun <T : Any> CoroutineScope.givenUp(point: Point, byHandle: Boolean, call: suspend (RawCancel?) -> T): T? {
        val handle = if (byHandle) RawCancel() else null
        var job: Deferred<Result<T>>? = null
        val giveUp: () -> Unit = { handle?.cancel() ?: job?.cancel() }
        turns.set(0)
        // A failure is told by its value: as the end of a child it would end this test's coroutine too.
        val begun = async(start = CoroutineStart.LAZY) { runCatching { call(handle) } }
        job = begun
        when (point) {
            Point.BeforeIt -> giveUp()
            is Point.During -> armed.set(point to giveUp)
            is Point.After -> Unit
        }
        begun.start()
        if (point is Point.After) {
            delay(point.microseconds.microseconds)
            giveUp()
        }
        val outcome = runCatching { begun.await().getOrThrow() }
        armed.set(null)
        handle?.destroy()
        return outcome.getOrElse { error ->
            val expected = if (byHandle) error is WalletException.Cancelled else error is CancellationException
            // What the issuer itself would have refused may be refused as well.
            val by = if (byHandle) "handle" else "coroutine"
            assertTrue(expected || error is WalletException.Refused) { "$point by $by: $error" }
            null
        }
    }

    private suspend fun <T : Any> CoroutineScope.each(count: Int, call: suspend (RawCancel?) -> T): List<T> =
        points(count).mapIndexedNotNull { index, point -> givenUp(point, index / 2 % 2 == 0, call).also { settled() } }

    @Test
    fun `a thousand calls given up leave wallet and issuer agreed`() = stage { scope ->
        val wallet = starter("taro", number(1), balanceYen = 1_000, seen = ::watched)
        advance(25.hours)
        with(scope) {
            var calls = 0
            calls += 120.also { each(it) { cancel -> if (cancel == null) wallet.refresh() else wallet.refresh(cancel) } }
            // Another one's: a wallet that follows asks by itself what became of what it does not know.
            starter("hanako", number(2)).let { follows ->
                follows.follow()
                calls += 100.also { each(it) { cancel -> if (cancel == null) follows.followed() else follows.followed(cancel) } }
            }
            wallet.history().let { history ->
                calls += 160.also { each(it) { cancel -> if (cancel == null) history.newest(9) else history.newest(9, cancel) } }
            }
            wallet.codes().let { codes ->
                calls += 160.also {
                    each(it) { cancel -> if (cancel == null) codes.next(Purpose.PAY) else codes.next(Purpose.PAY, cancel) }
                }
            }
            wallet.topUps().let { topUps ->
                calls += 160.also { count ->
                    each(count) { cancel -> if (cancel == null) topUps.prepareAtm(5) else topUps.prepareAtm(5, cancel) }
                }
                calls += approvals(this@stage, this, topUps, 100)
            }
            calls += signUps(this@stage, this, 120)
            calls += closings(this@stage, this, 40)
            calls += resets(this@stage, this, 40)
            assertEquals(1_000, calls)
        }
        assertTrue(hit.get() > 100) { "only ${hit.get()} calls were given up while the host was asked" }
        agree("taro")
        assertEquals(0L, diagnostics().cancels)
    }

    /**
     * The control. A top-up abandoned between its record and the record of its answer is at the issuer, and the wallet knows
     * only that it was approved. The next contact heals that: so they must agree before it, which is when they are looked at.
     */
    @Test
    fun `if begun work ended with its caller, the wallet would be behind the issuer`() = stage { scope ->
        starter("taro", number(1), seen = ::watched).topUps().let { topUps ->
            approvals(this, scope, topUps, 100)
            held("taro").let { (known, held) -> assertEquals(held, known, "with the defence") }
            // Between the two records there is little time, and how often it is met is up to the machine: as often as it needs.
            val behind = (1..50).any {
                drilling("abandon") { approvals(this, scope, topUps, 100) }
                held("taro").let { (known, held) -> known < held }
            }
            assertTrue(behind, "without the defence the wallet knows all that the issuer holds")
            held("taro").let { (known, held) -> assertEquals(held, known, "after the next contact") }
        }
    }

    /** Given up while their money moves: each is at the issuer or nowhere. */
    private suspend fun approvals(stage: Stage, scope: CoroutineScope, topUps: TopUps, count: Int): Int {
        points(count).forEachIndexed { index, point ->
            topUps.prepareAtm(index + 1L).let { approval ->
                val signature = stage.person("taro").keys.authorize(approval.signingBytes())
                scope.givenUp(point, index / 2 % 2 == 0) { cancel ->
                    if (cancel == null) approval.confirm(signature) else approval.confirm(signature, cancel)
                }
            }
        }
        settled()
        return count
    }

    /** New phones: a sign-up given up, then its code given up, then the same again to the end. */
    private suspend fun signUps(stage: Stage, scope: CoroutineScope, count: Int): Int {
        val phones = count / 3
        val points = points(count)
        repeat(phones) { phone ->
            val name = "phone-$phone"
            val number = number(100 + phone)
            stage.add(name, number, ::watched).account().let { account ->
                for (turn in 0..1) {
                    scope.givenUp(points[3 * phone + turn], turn == 0) { cancel ->
                        if (cancel == null) account.signUp(number) else account.signUp(number, cancel)
                    }
                    settled()
                }
                account.signUp(number)
                val code = stage.newestCode(name)
                scope.givenUp(points[3 * phone + 2], phone % 2 == 0) { cancel ->
                    if (cancel == null) account.confirm(code) else account.confirm(code, cancel)
                }
                settled()
                if (stage.wallet(name).home().state != WalletState.READY) account.confirm(code)
            }
            assertEquals(WalletState.READY, stage.wallet(name).refresh().state, name)
            stage.kill(name)
        }
        return count
    }

    /** An empty wallet is what comes of it, or nothing if it had not begun; repeated, an empty wallet. */
    private suspend fun resets(stage: Stage, scope: CoroutineScope, count: Int): Int {
        val wallet = stage.add("jiro", number(3), ::watched)
        points(count).forEachIndexed { index, point ->
            wallet.account().signUp(number(3))
            scope.givenUp(point, index / 2 % 2 == 0) { cancel ->
                if (cancel == null) wallet.reset(false) else wallet.reset(false, cancel)
            }
            settled()
            assertTrue(wallet.home().state in listOf(WalletState.SIGNING_UP, WalletState.NO_ACCOUNT), "${wallet.home()}")
            wallet.reset(false)
            assertEquals(WalletState.NO_ACCOUNT to null, wallet.home().state to wallet.account().signUpInProgress())
        }
        return count
    }

    /** Closing has no handle: only its coroutine is given up. The folder is free soon all the same. */
    private suspend fun closings(stage: Stage, scope: CoroutineScope, count: Int): Int {
        stage.kill("taro")
        for (point in points(count)) {
            val wallet = stage.open("taro")
            scope.givenUp(point, byHandle = false) { wallet.close() }
            stage.kill("taro")
        }
        stage.open("taro")
        return count
    }

    /** What the wallet knows by itself to be held for top-ups, and what the issuer holds then. */
    private suspend fun Stage.held(name: String): Pair<Long, Long> {
        val wallet = wallet(name)
        // Before anybody is asked: at the next contact the wallet resolves what it does not know.
        val pending = wallet.topUps().pending().filter { it.what is PendingWhat.Accepted }
        return pending.sumOf { it.topUp.yen } to DAY_YEN - checkNotNull(wallet.refresh().topUpLeftYen)
    }

    /** What the wallet shows as held is what the issuer holds; an ATM takes the cash; the rest ends by itself. */
    private suspend fun Stage.agree(name: String) {
        val wallet = wallet(name)
        val (known, held) = held(name)
        assertEquals(held, known, "what is held")
        val pending = wallet.topUps().pending()
        assertTrue(pending.isNotEmpty() && pending.all { it.what is PendingWhat.Accepted }, "$pending")

        val paid = pending.first().topUp
        deposit(wallet, paid.number, paid.yen)
        advance(16.minutes)
        val after = wallet.refresh()
        assertEquals(1_000L + paid.yen, after.balanceYen)
        assertEquals(listOf<PendingEntry>(), wallet.topUps().pending())
        assertEquals(after.balanceYen, wallet.history().newest(100).entries.sumOf { it.yen }, "the history adds up")
    }
}
