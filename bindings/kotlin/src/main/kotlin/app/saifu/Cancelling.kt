package app.saifu

import kotlinx.coroutines.CancellationException

// The asynchronous calls as Kotlin has them: cancelling the coroutine gives the call up on both sides. What has begun by
// then goes on to its recorded end, so a payment is never cut in half; the next look shows what became of it.

/**
 * Runs [call] with a handle that is cancelled with this coroutine.
 *
 * @throws CancellationException when the coroutine is cancelled, whatever the library answers meanwhile.
 */
internal suspend inline fun <T> cancelling(call: (Cancel) -> T): T {
    val cancel = Cancel()
    try {
        return call(cancel)
    } catch (cancelled: CancellationException) {
        cancel.cancel()
        throw cancelled
    } finally {
        cancel.destroy()
    }
}

/** Asks the issuer, and gives the home screen. */
public suspend fun Wallet.refresh(): HomeScreen = cancelling { refresh(it) }

/** Listens to the issuer's events from now on. */
public suspend fun Wallet.follow(): Unit = cancelling { follow(it) }

/** Asks for an SMS code to [number]; again for another one. */
public suspend fun Account.signUp(number: String): SignUpScreen = cancelling { signUp(number, it) }

/** Enters the SMS's [code]. Gives the id of this device. */
public suspend fun Account.confirm(code: String): String = cancelling { confirm(code, it) }

/** Prepares a top-up of [yen] at an ATM. Nothing moves before the owner has approved it. */
public suspend fun TopUps.prepareAtm(yen: Long): Approval = cancelling { prepareAtm(yen, it) }

/** Sends what the owner approved; [signature] is the authorization key's over [Approval.signingBytes]. */
public suspend fun Approval.confirm(signature: ByteArray): TopUp = cancelling { confirm(signature, it) }

/** Fetches a one-time code for [purpose]. */
public suspend fun Codes.next(purpose: Purpose): PaymentCode = cancelling { next(purpose, it) }

/** The newest [limit] entries, the newest first, from the device's own files. */
public suspend fun History.newest(limit: UInt): List<HistoryEntry> = cancelling { newest(limit, it) }
