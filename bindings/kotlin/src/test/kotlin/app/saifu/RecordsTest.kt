package app.saifu

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Duration
import java.time.Instant

/** What records and errors say of themselves. */
class RecordsTest {
    private val secret = Sensitive(PLANTED)

    @Test
    fun `records do not print what they hold`() {
        val (at, symbol) = Instant.EPOCH to Symbol(1, 1, 0, SensitiveBytes(byteArrayOf(2, 7, 1, 8)))
        val records = listOf(
            secret,
            SignUpScreen(secret, at, at, Duration.ZERO, Duration.ZERO),
            TotpCode(secret, at, Duration.ZERO, TimeTrust.FULL),
            PendingEntry("", PendingWhat.Accepted(IntentDetail.TopUp(Channel.ATM, 1, secret)), at, at, ""),
            TopUp("", TopUpState.DONE, 1, secret, at, at),
            PaymentCode(secret, Purpose.PAY, 1, false, at, at, at, Duration.ZERO, false, TimeTrust.FULL, symbol, symbol),
        )
        for (text in records.map { "$it" }) {
            assertFalse(PLANTED in text || "2, 7" in text, text)
            assertTrue("…" in text, text)
        }
        // The control: a record with a plain text shows it, and this one shows it when it is asked.
        assertTrue("${Plain(PLANTED, byteArrayOf(2, 7))}".let { PLANTED in it && "2, 7" in it })
        assertEquals(listOf<Byte>(2, 7, 1, 8), symbol.modules.expose().toList())
        assertEquals(PLANTED to Sensitive(PLANTED), secret.expose() to secret)
    }

    @Suppress("ArrayInDataClass")
    private data class Plain(val number: String, val modules: ByteArray)

    @Test
    fun `what the library gives is not printed either`() = stage {
        val wallet = add("taro", number(1))
        val screen = wallet.account().signUp(number(1))
        assertEquals("+819010000001", screen.number.expose())
        assertFalse("9010000001" in "$screen", "$screen")
        wallet.account().confirm(newestCode("taro"))
        val totp = wallet.account().totp()
        assertFalse(totp.code.expose() in "$totp", "$totp")
        val approval = wallet.topUps().prepareAtm(1_000)
        val topUp = approval.confirm(person("taro").keys.authorize(approval.signingBytes()))
        val number = checkNotNull(topUp.number).expose()
        assertTrue(number.length == 12 && topUp.expiresAt > topUp.since)
        assertFalse(number in "$topUp ${wallet.topUps().pending()}")
    }

    @Test
    fun `an error says its sentence`() = stage {
        val wallet = add("taro", number(1))
        val error = runCatching { wallet.refresh() }.exceptionOrNull() as WalletException.NotSignedUp
        assertEquals("This wallet has no account yet.", error.message)
        assertEquals("not-signed-up" to 4, error.info.name to error.info.code)
        assertTrue(runCatching { wallet.setPatience(Duration.ofMillis(-1)) }.exceptionOrNull() is WalletException.InvalidInput)
        assertTrue(runCatching { wallet.setPatience(Duration.ofSeconds(Long.MIN_VALUE)) }.exceptionOrNull() is WalletException)
        wallet.setPatience(Duration.ofSeconds(Long.MAX_VALUE))
    }

    private companion object {
        const val PLANTED = "271828182845"
    }
}
