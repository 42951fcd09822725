package app.saifu.test

import app.saifu.Account
import app.saifu.Approval
import app.saifu.Channel
import app.saifu.Codes
import app.saifu.ErrorInfo
import app.saifu.Following
import app.saifu.History
import app.saifu.HistoryEntry
import app.saifu.HistoryScreen
import app.saifu.HomeScreen
import app.saifu.IntentDetail
import app.saifu.Offer
import app.saifu.PaymentCode
import app.saifu.PendingEntry
import app.saifu.PendingWhat
import app.saifu.Purpose
import app.saifu.Sensitive
import app.saifu.SensitiveBytes
import app.saifu.SignUpScreen
import app.saifu.Symbol
import app.saifu.TimeTrust
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
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.first
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
    public var totp: TotpCode =
        TotpCode(Sensitive("123456"), Instant.EPOCH.plus(Duration.ofDays(1)), Duration.ofSeconds(30), TimeTrust.FULL)

    @Volatile
    public var pending: List<PendingEntry> = listOf()

    @Volatile
    public var entries: List<HistoryEntry> = listOf()

    /** The names of the calls that were made, in their order. */
    public val calls: List<String> get() = made.toList()

    private val made = CopyOnWriteArrayList<String>()
    private val told = MutableSharedFlow<WalletEvent?>(extraBufferCapacity = 64)
    private val standing = MutableStateFlow<Following?>(home.following)

    /** Whether the wish to follow stands. */
    @Volatile
    private var wished = false

    /** Tells [event] to whoever collects now. */
    public fun tell(event: WalletEvent) {
        told.tryEmit(event)
    }

    /** Shows on the home screen how the following stands, and tells whoever collects. */
    public fun tell(following: Following) {
        home = home.copy(following = following)
        standing.value = following
    }

    private fun asked(call: String) {
        made += call
        failure?.let { throw it }
    }

    private fun become(state: WalletState) {
        home = home.copy(state = state, wayOut = wayOut(state))
    }

    /** What a wish to follow comes to: events, or, with a [failure], waiting for another try. */
    private fun connect() {
        val now = Instant.now()
        tell(failure?.let { Following.Waiting(it.info.name, now.plusSeconds(1)) } ?: Following.Connected(now))
    }

    override fun account(): Account =
        object : Account {
            override suspend fun signUp(number: String): SignUpScreen {
                asked("signUp")
                become(WalletState.SIGNING_UP)
                val now = Instant.now()
                val (end, again) = Duration.ofMinutes(10) to Duration.ofMinutes(1)
                return SignUpScreen(Sensitive(number), now + end, now + again, end, again).also { signUp = it }
            }

            override fun signUpInProgress(): SignUpScreen? = signUp

            override suspend fun confirm(code: String): String {
                asked("confirm")
                if (code != smsCode) throw WalletException.Refused(info(3, "refused", "That code is wrong.", "wrong-code"))
                signUp = null
                become(WalletState.READY)
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
                val (refresh, end) = Duration.ofMinutes(4) to now.plusSeconds(300)
                val digits = Sensitive("0".repeat(24))
                val (full, renew) = TimeTrust.FULL to now + refresh
                val made = PaymentCode(digits, purpose, 100_000, false, now, renew, end, refresh, false, full, dot, dot)
                return made.also { code = it }
            }
        }

    override fun history(): History =
        object : History {
            override suspend fun newest(limit: Int): HistoryScreen = HistoryScreen(entries.take(limit), home.historyIncomplete)
        }

    override fun home(): HomeScreen = home

    override suspend fun refresh(): HomeScreen {
        asked("refresh")
        return home
    }

    override fun follow() {
        made += "follow"
        if (home.state == WalletState.LOCKED) throw WalletException.Locked(info(11, "locked", "The wallet is locked.", null))
        if (home.state != WalletState.READY) {
            throw WalletException.NotSignedUp(info(4, "not-signed-up", "This wallet has no account yet.", null))
        }
        wished = true
        connect()
    }

    override suspend fun followed() {
        made += "followed"
        following().first { it is Following.Connected }
    }

    override suspend fun reset(insist: Boolean) {
        made += "reset"
        if (!insist && pending.any { it.what is PendingWhat.Unknown }) {
            throw WalletException.InvalidInput(info(7, "invalid-input", "It is not known yet what became of a top-up.", null))
        }
        wished = false
        pending = listOf()
        entries = listOf()
        code = null
        signUp = null
        home = emptyHome(WalletState.NO_ACCOUNT)
        tell(Following.Off)
    }

    override fun events(): Flow<WalletEvent> = told.takeWhile { it != null }.filterNotNull()

    override fun following(): Flow<Following> = standing.takeWhile { it != null }.filterNotNull()

    override fun lock() {
        made += "lock"
        home = emptyHome(WalletState.LOCKED)
        tell(Following.Off)
    }

    override suspend fun unlock() {
        made += "unlock"
        if (home.state != WalletState.LOCKED) return
        home = emptyHome(WalletState.READY)
        if (wished) connect()
    }

    override fun setPatience(patience: Duration) {
        made += "setPatience"
    }

    override suspend fun close() {
        made += "close"
        told.emit(null)
        standing.value = null
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
                val what = PendingWhat.Accepted(IntentDetail.TopUp(Channel.ATM, yen, number))
                pending += PendingEntry(intent, what, now, until, "Type the number at an ATM.")
                return TopUp(intent, TopUpState.AWAITING_CASH, yen, number, now, until)
            }
        }

    public companion object {
        /** The home screen of a wallet that knows nothing yet. */
        public fun emptyHome(state: WalletState): HomeScreen =
            HomeScreen(
                state = state,
                wayOut = wayOut(state),
                putAside = null,
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
                historyIncomplete = false,
                trust = TimeTrust.FULL,
                following = Following.Off,
                pay = offer(state),
                topUp = offer(state),
                totp = offer(state),
            )

        private fun offer(state: WalletState): Offer =
            when (state) {
                WalletState.READY -> Offer.OPEN
                WalletState.LOCKED -> Offer.LOCKED
                else -> Offer.NO_ACCOUNT
            }

        /** The library's words for what leads on. */
        private fun wayOut(state: WalletState): String =
            when (state) {
                WalletState.NO_ACCOUNT -> "Sign up with your phone number."
                WalletState.SIGNING_UP -> "Enter the code from the SMS, or sign up again."
                WalletState.READY -> "Nothing is in the way."
                WalletState.PUT_ASIDE -> "Sign up again with your phone number: the same phone gets its account back."
                WalletState.LOCKED -> "Unlock the wallet."
            }

        /** What a wallet without a network says. */
        public fun offline(): WalletException =
            WalletException.Offline(info(1, "offline", "The issuer cannot be reached.", null))

        private fun info(code: Int, name: String, sentence: String, problem: String?): ErrorInfo =
            ErrorInfo(code, name, sentence, "Try again.", null, problem, null, null)
    }
}
