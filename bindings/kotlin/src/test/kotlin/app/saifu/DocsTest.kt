package app.saifu

import app.saifu.examples.FirstScreen
import app.saifu.examples.banner
import app.saifu.examples.codeToShow
import app.saifu.examples.firstScreen
import app.saifu.examples.logTo
import app.saifu.examples.open
import app.saifu.examples.show
import app.saifu.examples.signUp
import app.saifu.examples.topUp
import app.saifu.examples.words
import app.saifu.test.FakeWallet
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.plus
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Instant
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
        val screen = Screen()
        val showing = Job()
        show(wallet, this + showing, screen::render)
        screen.until { it.balanceYen == 5_000L && banner(it) == "No connection. These are the figures of before." }
        wallet.failure = null
        wallet.home = wallet.home.copy(balanceYen = 6_000)
        wallet.tell(Following.Connected(Instant.EPOCH))
        screen.until { it.balanceYen == 6_000L && banner(it) == null }
        assertEquals(1, wallet.calls.count { it == "follow" })
        showing.cancelAndJoin()
    }

    /** The same with the library, and an issuer that nobody has started. */
    @Test
    fun `a start without an issuer is no failure`() = stage { scope ->
        starter("taro", number(1), balanceYen = 5_000)
        kill("taro")
        val person = person("taro")
        val nobody = config(person.vault).copy(customerUrl = "https://localhost:1")
        val wallet = openWallet(person.platform, nobody).also { person.wallet = it }
        val screen = Screen()
        val showing = Job()
        show(wallet, scope + showing, screen::render)
        screen.until { it.balanceYen == 5_000L && it.following is Following.Waiting }
        showing.cancelAndJoin()
    }

    @Test
    fun `a wallet that is not ready shows what leads on, and nothing is thrown`() = runBlocking {
        for (state in WalletState.entries) {
            val wallet = FakeWallet(FakeWallet.emptyHome(state))
            val screen = Screen()
            val showing = Job()
            show(wallet, this + showing, screen::render)
            screen.until { it.state == state && (banner(it) == null) == (state == WalletState.READY) }
            showing.cancelAndJoin()
        }
        assertEquals(FirstScreen.NUMBER, firstScreen(FakeWallet(FakeWallet.emptyHome(WalletState.PUT_ASIDE))))
        val aside = banner(FakeWallet.emptyHome(WalletState.PUT_ASIDE))
        assertTrue("Sign up again" in aside.orEmpty(), aside)
    }

    /** What is drawn last. */
    private class Screen {
        private val drawn = MutableStateFlow<HomeScreen?>(null)

        fun render(home: HomeScreen) {
            drawn.value = home
        }

        suspend fun until(isSo: (HomeScreen) -> Boolean) {
            withTimeout(20.seconds) { drawn.first { it != null && isSo(it) } }
        }
    }

    @Test
    fun `what the page shows works against a sandbox`() = stage { scope ->
        add("taro", number(1))
        val person = person("taro")
        val issuer = config(person.folder)
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
        val screen = Screen()
        val showing = Job()
        show(wallet, scope + showing, screen::render)
        screen.until { it.balanceYen == 0L && it.following is Following.Connected && banner(it) == null }
        wallet.lock()
        screen.until { banner(it) == "Unlock the wallet." }
        wallet.unlock()
        screen.until { it.following is Following.Connected }
        showing.cancelAndJoin()
        assertEquals(24, codeToShow(wallet).digits.expose().length)
        assertEquals(3_000L, topUp(wallet, 3_000) { _, bytes -> person.keys.authorize(bytes) }.yen)
        val error = runCatching { topUp(wallet, 0) { _, bytes -> bytes } }.exceptionOrNull()
        assertTrue(words(error as WalletException).startsWith("An amount is"), words(error))
        setLog(LogLevel.OFF, null)
    }
}
