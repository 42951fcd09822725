package app.saifu

import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.withContext
import java.time.Duration
import java.time.Instant

/**
 * One customer's wallet: [openWallet] gives the real one, `app.saifu.test.FakeWallet` one for the tests of a screen.
 *
 * Everything can be called from any thread and throws a [WalletException]. A call that suspends ends with its coroutine; what
 * it had begun goes on to its recorded end, so a payment is never cut in half.
 */
public interface Wallet {
    /** Sign-up, and the code that proves this phone. */
    public fun account(): Account

    /** Top-ups and what is not finished. */
    public fun topUps(): TopUps

    /** Codes to show at a till. */
    public fun codes(): Codes

    /** What has happened to the money. */
    public fun history(): History

    /** The home screen as last known. Never waits for anything. */
    public fun home(): HomeScreen

    /** Asks the issuer, and gives the home screen. */
    public suspend fun refresh(): HomeScreen

    /**
     * Wants the issuer's events from now on. It returns at once and needs no network: the wish stays, through lost connections
     * and locks, until the wallet is closed or reset, or the issuer no longer knows this device. How it stands is on the home
     * screen and in [following]. Asked for again, it is tried at once.
     */
    public fun follow()

    /** Returns once events come as they happen; waits for as long as that takes. An app needs it rarely, a test often. */
    public suspend fun followed()

    /**
     * Deletes everything that this wallet has on this phone, keys included, and goes on as an empty one. Ask the owner first.
     * Refused while it is not known what became of an approved top-up, unless the owner insists.
     */
    public suspend fun reset(insist: Boolean)

    /**
     * What happens to the account, from the moment of collecting on. Collecting subscribes; the subscription ends with the
     * collector, and the flow ends when the wallet is closed. Each collector has its own.
     *
     * It is a hint to look, not the books: a collector that falls more than 64 events behind loses the oldest, and what
     * happened while nobody collected is not repeated. [home] and [history] always have all of it. Events come while [follow]
     * is wished for and the issuer can be reached.
     */
    public fun events(): Flow<WalletEvent>

    /** How the following stands: at the moment of collecting, then with each change. Otherwise as [events]. */
    public fun following(): Flow<Following>

    /** Wipes every secret from memory and ends the session. Asks nobody and is fine to repeat. */
    public fun lock()

    /** Reads the files again after [lock], off the caller's thread. Fine to repeat. */
    public suspend fun unlock()

    /** From now on, an answer is waited for this long at each try; ten seconds unless said otherwise. */
    public fun setPatience(patience: Duration)

    /**
     * Lets calls that have begun come to their end, wipes every secret and lets go of the folder; a coroutine cancelled meanwhile
     * waits for that too. Fine to repeat; every other call fails from now on.
     */
    public suspend fun close()

    /** Runs [block] with this wallet and closes it then, whatever happens. */
    public suspend fun <R> use(block: suspend (Wallet) -> R): R =
        try {
            block(this)
        } finally {
            withContext(NonCancellable) { close() }
        }
}

/** Sign-up and this phone's proof. */
public interface Account {
    /** Asks for an SMS code to a Japanese mobile number, however it is written; again for another one. */
    public suspend fun signUp(number: String): SignUpScreen

    /** The sign-up that waits for its code, also after a restart. */
    public fun signUpInProgress(): SignUpScreen?

    /** Enters the code of the SMS: opens the account, activates this phone, gives the device's id. */
    public suspend fun confirm(code: String): String

    /** The in-app TOTP code of this moment. Works without a network. */
    public fun totp(): TotpCode
}

/** Topping up: prepare, let the owner approve and sign, send. */
public interface TopUps {
    /** Prepares a top-up with cash at an ATM, 1 to 9,999,999 yen. Nothing moves before the owner has approved it. */
    public suspend fun prepareAtm(yen: Long): Approval

    /** What is not finished. Works without a network. */
    public fun pending(): List<PendingEntry>
}

/** A top-up that waits for the owner, who reads [text] while the authorization key signs [signingBytes]. */
public interface Approval {
    /** What the owner reads beside the prompt. */
    public fun text(): String

    /** The exact bytes that the authorization key signs (ECDSA P-256 with SHA-256, DER). */
    public fun signingBytes(): ByteArray

    /** The key that this intent has from now on. */
    public fun intent(): String

    /** It is worth nothing from then on. */
    public fun expiresAt(): Instant

    /** Sends what the owner approved. Works once. */
    public suspend fun confirm(signature: ByteArray): TopUp
}

/** One-time codes. */
public interface Codes {
    /** A code to show right now; none if there is no fresh one in hand. Never waits. */
    public fun current(purpose: Purpose): PaymentCode?

    /** Fetches a fresh code. */
    public suspend fun next(purpose: Purpose): PaymentCode
}

/** The history on the phone. */
public interface History {
    /** The newest [limit] entries, the newest first, and whether some are missing here. Works without a network. */
    public suspend fun newest(limit: Int): HistoryScreen
}
