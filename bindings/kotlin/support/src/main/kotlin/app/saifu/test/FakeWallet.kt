package app.saifu.test

import app.saifu.Account
import app.saifu.Approval
import app.saifu.Codes
import app.saifu.ErrorInfo
import app.saifu.History
import app.saifu.HistoryEntry
import app.saifu.HomeScreen
import app.saifu.PaymentCode
import app.saifu.PendingEntry
import app.saifu.PendingKind
import app.saifu.Purpose
import app.saifu.Sensitive
import app.saifu.SensitiveBytes
import app.saifu.SignUpScreen
import app.saifu.Symbol
import app.saifu.TopUp
import app.saifu.TopUpState
import app.saifu.TopUps
import app.saifu.TotpCode
import app.saifu.Wallet
import app.saifu.WalletEvent
import app.saifu.WalletException
import app.saifu.WalletState
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.takeWhile
import java.time.Duration
import java.time.Instant
import java.util.concurrent.CopyOnWriteArrayList

/**
 * A wallet for the tests of a screen, without the library, a phone or an issuer. It answers with what stands in its properties,
 * which a test sets; [failure] is what every call that would ask the issuer throws. What was called stands in [calls].
 */
public class FakeWallet(
    @Volatile public var home: HomeScreen = emptyHome(WalletState.NO_ACCOUNT),
) : Wallet {
    /** What calls that would ask the issuer throw; nothing while it is null. */
    @Volatile
    public var failure: WalletException? = null

    /** The SMS code that opens the account. */
    @Volatile
    public var smsCode: String = "123456"

    /** The sign-up that waits for its code. */
    @Volatile
    public var signUp: SignUpScreen? = null

    /** The code in hand. */
    @Volatile
    public var code: PaymentCode? = null

    @Volatile
    public var totp: TotpCode = TotpCode(Sensitive("123456"), Instant.EPOCH.plus(Duration.ofDays(1)))

    @Volatile
    public var pending: List<PendingEntry> = listOf()

    @Volatile
    public var entries: List<HistoryEntry> = listOf()

    /** The names of the calls that were made, in their order. */
    public val calls: List<String> get() = made.toList()

    private val made = CopyOnWriteArrayList<String>()
    private val told = MutableSharedFlow<WalletEvent?>(extraBufferCapacity = 64)

    /** Tells [event] to whoever collects now. */
    public fun tell(event: WalletEvent) {
        told.tryEmit(event)
    }

    private fun asked(call: String) {
        made += call
        failure?.let { throw it }
    }

    override fun account(): Account =
        object : Account {
            override suspend fun signUp(number: String): SignUpScreen {
                asked("signUp")
                home = home.copy(state = WalletState.SIGNING_UP)
                val now = Instant.now()
                return SignUpScreen(Sensitive(number), now.plusSeconds(600), now.plusSeconds(60)).also { signUp = it }
            }

            override fun signUpInProgress(): SignUpScreen? = signUp

            override suspend fun confirm(code: String): String {
                asked("confirm")
                if (code != smsCode) throw WalletException.Refused(info(3, "refused", "That code is wrong.", "wrong-code"))
                signUp = null
                home = home.copy(state = WalletState.READY)
                return "device"
            }

            override fun totp(): TotpCode = totp
        }

    override fun topUps(): TopUps =
        object : TopUps {
            override suspend fun prepareAtm(yen: Long): Approval {
                asked("prepareAtm")
                return approval(yen)
            }

            override fun pending(): List<PendingEntry> = pending
        }

    override fun codes(): Codes =
        object : Codes {
            override fun current(purpose: Purpose): PaymentCode? = code?.takeIf { it.purpose == purpose }

            override suspend fun next(purpose: Purpose): PaymentCode {
                asked("next")
                val dot = Symbol(1, 1, 0, SensitiveBytes(byteArrayOf(1)))
                val now = Instant.now()
                val (refresh, end) = now.plusSeconds(240) to now.plusSeconds(300)
                return PaymentCode(Sensitive("0".repeat(24)), purpose, 100_000, false, now, refresh, end, dot, dot)
                    .also { code = it }
            }
        }

    override fun history(): History =
        object : History {
            override suspend fun newest(limit: Int): List<HistoryEntry> = entries.take(limit)
        }

    override fun home(): HomeScreen = home

    override suspend fun refresh(): HomeScreen {
        asked("refresh")
        return home
    }

    override suspend fun follow(): Unit = asked("follow")

    override fun events(): Flow<WalletEvent> = told.takeWhile { it != null }.filterNotNull()

    override fun lock() {
        made += "lock"
        home = emptyHome(WalletState.LOCKED)
    }

    override suspend fun unlock() {
        made += "unlock"
        if (home.state == WalletState.LOCKED) home = emptyHome(WalletState.READY)
    }

    override fun setPatience(patience: Duration) {
        made += "setPatience"
    }

    override suspend fun close() {
        made += "close"
        told.emit(null)
    }

    private fun approval(yen: Long): Approval =
        object : Approval {
            private val intent = "intent-${made.size}"
            private val until = Instant.now().plusSeconds(900)

            override fun text(): String = "Top up ¥$yen"

            override fun signingBytes(): ByteArray = intent.toByteArray()

            override fun intent(): String = intent

            override fun expiresAt(): Instant = until

            override suspend fun confirm(signature: ByteArray): TopUp {
                asked("confirmTopUp")
                val (number, now) = Sensitive("123456789012") to Instant.now()
                pending += PendingEntry(intent, PendingKind.TOP_UP, yen, number, now, until, "Type the number at an ATM.")
                return TopUp(intent, TopUpState.AWAITING_CASH, yen, number, now, until)
            }
        }

    public companion object {
        /** The home screen of a wallet that knows nothing yet. */
        public fun emptyHome(state: WalletState): HomeScreen =
            HomeScreen(
                state = state,
                deviceId = null,
                standing = null,
                balanceYen = null,
                balanceReason = "nothing is known yet",
                asOf = null,
                age = null,
                points = null,
                frozen = false,
                topUpLeftYen = null,
                payLeftYen = null,
                notices = listOf(),
                lastEvent = 0,
            )

        /** What a wallet without a network says. */
        public fun offline(): WalletException =
            WalletException.Offline(info(1, "offline", "The issuer cannot be reached.", null))

        private fun info(code: Int, name: String, sentence: String, problem: String?): ErrorInfo =
            ErrorInfo(code, name, sentence, "Try again.", null, problem, null, null)
    }
}
