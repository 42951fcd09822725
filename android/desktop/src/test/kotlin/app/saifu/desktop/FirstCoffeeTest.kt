package app.saifu.desktop

import androidx.compose.ui.graphics.toAwtImage
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.test.ComposeTimeoutException
import androidx.compose.ui.test.ComposeUiTest
import androidx.compose.ui.test.ExperimentalTestApi
import androidx.compose.ui.test.SemanticsMatcher
import androidx.compose.ui.test.captureToImage
import androidx.compose.ui.test.hasContentDescription
import androidx.compose.ui.test.hasText
import androidx.compose.ui.test.isEnabled
import androidx.compose.ui.test.onRoot
import androidx.compose.ui.test.performClick
import androidx.compose.ui.test.performTextInput
import androidx.compose.ui.test.performTextReplacement
import androidx.compose.ui.test.printToString
import androidx.compose.ui.test.runComposeUiTest
import app.saifu.IntentDetail
import app.saifu.PendingWhat
import app.saifu.Wallet
import app.saifu.openWallet
import app.saifu.presentation.App
import app.saifu.presentation.Language
import app.saifu.presentation.Platform
import app.saifu.presentation.Say
import app.saifu.presentation.Text
import app.saifu.presentation.Words
import app.saifu.test.TestHost
import app.saifu.test.sandboxConfig
import app.saifu.ui.AppView
import app.saifu.ui.SaifuTheme
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.fail
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.time.Clock
import java.time.ZoneId
import javax.imageio.ImageIO

private val CLOCK: Clock = Clock.system(ZoneId.of("Asia/Tokyo"))
private const val NUMBER = "090-1234-5678"
private const val PATIENCE_MS = 30_000L

/** From nothing to a paid coffee, by what a screen reader meets, against the real core and a running sandbox. */
@OptIn(ExperimentalTestApi::class)
class FirstCoffeeTest {
    @TempDir
    lateinit var folder: Path

    /** The owner declines the first time, and approves then. */
    private class Phone(private val host: TestHost) : Platform {
        private var asked = 0

        override val clock: Clock = CLOCK

        override suspend fun approve(text: Text, bytes: ByteArray): ByteArray? {
            asked += 1
            return if (asked == 1) null else host.authorize(bytes)
        }

        override fun felt(paid: Boolean) = Unit
    }

    @Test
    fun `signs up, tops up, shows a code, is declined, pays`() = Issuer(folder.resolve("home")).use { issuer ->
        val host = TestHost(folder.resolve("host"))
        val wallet = runBlocking { openWallet(host.platform(), sandboxConfig(issuer.file, folder.resolve("vault"))) }
        runComposeUiTest {
            val app = App(wallet, Phone(host))
            setContent { SaifuTheme(Say(Words.of(Language.JAPANESE), CLOCK), dark = false) { AppView(app) } }
            signUp(issuer)
            await("残高がありません。チャージしてください。")
            topUp(wallet, issuer)
            spoken("5,000円")

            tap("支払う")
            assertEquals("declined", scan(issuer, 6_000))
            await("残高が足りません。チャージするか、別の方法でお支払いください。")
            tap("閉じる")

            tap("支払う")
            assertEquals("approved", scan(issuer, 1_280))
            await("お支払いが完了しました")
            spoken("1,280円")
            tap("閉じる")
            spoken("3,720円")
        }
        runBlocking { wallet.close() }
    }

    private fun ComposeUiTest.signUp(issuer: Issuer) {
        await("電話番号を入力してください")
        onNode(hasContentDescription("携帯電話番号")).performTextInput("０９０ー１２３４ー５６７８")
        tap("SMSで確認コードを受け取る")
        await("$NUMBER に送りました。")
        onNode(hasContentDescription("確認コード（6桁）")).performTextInput("000000")
        tap("確認する")
        await("確認コードが違います。新しいSMSのコードを入力してください。")
        onNode(hasContentDescription("確認コード（6桁）")).performTextReplacement(issuer.smsCode(NUMBER))
        tap("確認する")
    }

    /** Cash at an ATM, by the number and the code that stand on the screen. */
    private fun ComposeUiTest.topUp(wallet: Wallet, issuer: Issuer) {
        tap("チャージ")
        tap("承認して番号を受け取る")
        await(hasText("承認して番号を受け取る") and isEnabled())
        tap("承認して番号を受け取る")
        await("ATMに入力する番号")
        val (number, totp) = onTheScreen(wallet)
        val deposit = issuer.saifu("atm", "deposit", "--number", number, "--totp", totp, "--yen", "5000")
        assertEquals("approved", deposit.getValue("result").jsonPrimitive.content)
        await("チャージが完了しました")
        tap("閉じる")
    }

    /** What the screen shows in groups. */
    private fun ComposeUiTest.onTheScreen(wallet: Wallet): Pair<String, String> {
        val pending = wallet.topUps().pending().firstNotNullOf { (it.what as? PendingWhat.Accepted)?.detail as? IntentDetail.TopUp }
        val (number, totp) = checkNotNull(pending.number).expose() to wallet.account().totp().code.expose()
        await(hasContentDescription("コードの数字 ${number.toList().joinToString(" ")}"))
        await(hasContentDescription("コードの数字 ${totp.toList().joinToString(" ")}"))
        return number to totp
    }

    /** The till looks at the screen as it is drawn. */
    private fun ComposeUiTest.scan(issuer: Issuer, yen: Int): String {
        await(hasContentDescription("お支払い用バーコード"))
        val picture = folder.resolve("screen-$yen.png")
        ImageIO.write(onRoot().captureToImage().toAwtImage(), "png", picture.toFile())
        val scan = issuer.saifu("register", "scan", "--image", "$picture", "--yen", "$yen")
        return scan["result"]?.jsonPrimitive?.content ?: "$scan"
    }

    private fun ComposeUiTest.tap(text: String) {
        await(hasText(text))
        onNode(hasText(text)).performClick()
    }

    private fun ComposeUiTest.await(text: String) = await(hasText(text))

    private fun ComposeUiTest.await(what: SemanticsMatcher) =
        try {
            waitUntil(timeoutMillis = PATIENCE_MS) { onAllNodes(what).fetchSemanticsNodes().isNotEmpty() }
        } catch (_: ComposeTimeoutException) {
            fail("${what.description} is not shown, but:\n${onRoot().printToString()}")
        }

    /** What a screen reader says of the amount, once it is there. */
    private fun ComposeUiTest.spoken(amount: String): String {
        await(hasContentDescription(amount))
        val said = onNode(hasContentDescription(amount)).fetchSemanticsNode().config
        return said.getOrNull(SemanticsProperties.ContentDescription)?.single().orEmpty()
    }
}
