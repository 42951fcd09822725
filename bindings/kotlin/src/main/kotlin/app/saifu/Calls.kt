package app.saifu

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive

// The asynchronous calls as Kotlin has them, without a handle: cancelling the coroutine gives the call up. What has begun by
// then goes on to its recorded end, so a payment is never cut in half; the next look shows what became of it. The members
// take a [Cancel] too, for code that gives calls up in other ways; whoever uses those cancels by the handle.

/**
 * Waits for [call], which goes on beside this coroutine when that is cancelled.
 *
 * Dropped by its coroutine, the call could lose its result: UniFFI hands it over in two steps, and what is left between them
 * is never freed, see `docs/decisions/011`.
 */
private suspend fun <T> waitingFor(call: suspend () -> T): T {
    val context = currentCoroutineContext()
    context.ensureActive()
    return CoroutineScope(context.minusKey(Job)).async(start = CoroutineStart.UNDISPATCHED) { call() }.await()
}

/** Asks the issuer, and gives the home screen. */
public suspend fun Wallet.refresh(): HomeScreen = waitingFor { refresh(null) }

/** Listens to the issuer's events from now on; returns once everything missed so far has been caught up. */
public suspend fun Wallet.follow(): Unit = waitingFor { follow(null) }

/** Asks for an SMS code to [number]; again for another one. */
public suspend fun Account.signUp(number: String): SignUpScreen = waitingFor { signUp(number, null) }

/** Enters the SMS's [code]. Gives the id of this device. */
public suspend fun Account.confirm(code: String): String = waitingFor { confirm(code, null) }

/** Prepares a top-up of [yen] at an ATM. Nothing moves before the owner has approved it. */
public suspend fun TopUps.prepareAtm(yen: Long): Approval = waitingFor { prepareAtm(yen, null) }

/** Sends what the owner approved; [signature] is the authorization key's over [Approval.signingBytes]. */
public suspend fun Approval.confirm(signature: ByteArray): TopUp = waitingFor { confirm(signature, null) }

/** Fetches a one-time code for [purpose]. */
public suspend fun Codes.next(purpose: Purpose): PaymentCode = waitingFor { next(purpose, null) }

/** The newest [limit] entries, the newest first, from the device's own files. */
public suspend fun History.newest(limit: UInt): List<HistoryEntry> = waitingFor { newest(limit, null) }
