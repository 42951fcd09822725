package app.saifu

import app.saifu.examples.FirstScreen
import app.saifu.examples.codeToShow
import app.saifu.examples.firstScreen
import app.saifu.examples.logTo
import app.saifu.examples.open
import app.saifu.examples.show
import app.saifu.examples.signUp
import app.saifu.examples.topUp
import app.saifu.examples.words
import app.saifu.scenario.config
import app.saifu.scenario.newestCode
import app.saifu.test.FakeWallet
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.plus
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.io.path.readText
import kotlin.time.Duration.Companion.seconds

/** What docs/android.md shows is what is compiled here, and it works. */
class DocsTest {
    private val examples = repository.resolve("bindings/kotlin/src/test/kotlin/app/saifu/examples/GettingStarted.kt").readText()
    private val page = repository.resolve("docs/android.md").readText()

    @Test
    fun `every block of Kotlin on the page is compiled, and every example is on the page`() {
        val compiled = Regex("// begin: .*\n([\\s\\S]*?)\n// end: ").findAll(examples).map { it.groupValues[1] }.toSet()
        val shown = Regex("```kotlin\n([\\s\\S]*?)\n```").findAll(page).map { it.groupValues[1] }.toSet()
        assertTrue(compiled.size >= 7) { "${compiled.size} examples" }
        assertEquals(compiled, shown)
    }

    /** An app that starts in a tunnel shows what it knows, and follows once it is out. */
    @Test
    fun `a start without a network is got over`() = runBlocking {
        val wallet = FakeWallet(FakeWallet.emptyHome(WalletState.READY).copy(balanceYen = 5_000))
        wallet.failure = FakeWallet.offline()
        val shown = ArrayList<Long?>()
        val (told, refreshed) = CompletableDeferred<WalletException>() to CompletableDeferred<Unit>()
        val screen = Job()
        show(wallet, this + screen, { if (shown.add(it) && shown.size == 2) refreshed.complete(Unit) }, { told.complete(it) })
        assertEquals("The issuer cannot be reached.", told.await().message)
        assertEquals(listOf<Long?>(5_000), shown)
        wallet.home = wallet.home.copy(balanceYen = 6_000)
        wallet.failure = null
        withTimeout(20.seconds) { refreshed.await() }
        assertEquals(listOf<Long?>(5_000, 6_000), shown)
        screen.cancelAndJoin()
    }

    @Test
    fun `what the page shows works against a sandbox`() = stage { scope ->
        add("taro", number(1))
        val person = person("taro")
        val issuer = config(begun, person.folder)
        kill("taro")
        logTo { }
        val wallet = open(person.folder.toFile(), person.platform, issuer)
        person.wallet = wallet
        assertEquals(FirstScreen.NUMBER, firstScreen(wallet))
        signUp(wallet, person.number) {
            assertEquals(FirstScreen.CODE, firstScreen(wallet))
            newestCode("taro")
        }
        wallet.lock()
        assertEquals(FirstScreen.UNLOCK, firstScreen(wallet))
        wallet.unlock()
        assertEquals(FirstScreen.HOME, firstScreen(wallet))
        val refreshed = CompletableDeferred<Long>()
        val screen = Job()
        show(wallet, scope + screen, { balance -> balance?.let(refreshed::complete) }, {})
        assertEquals(0L, withTimeout(20.seconds) { refreshed.await() })
        screen.cancelAndJoin()
        assertEquals(24, codeToShow(wallet).digits.expose().length)
        assertEquals(3_000L, topUp(wallet, 3_000) { _, bytes -> person.keys.authorize(bytes) }.yen)
        val error = runCatching { topUp(wallet, 0) { _, bytes -> bytes } }.exceptionOrNull()
        assertTrue(words(error as WalletException).startsWith("An amount is"), words(error))
        setLog(LogLevel.OFF, null)
    }
}
