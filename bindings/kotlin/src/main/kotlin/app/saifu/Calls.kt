package app.saifu

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

// The asynchronous calls as Kotlin has them, without a handle: cancelling the coroutine gives the call up. What has begun by
// then goes on to its recorded end, so a payment is never cut in half; the next look shows what became of it. The members
// take a [Cancel] too, for code that gives calls up in other ways; whoever uses those cancels by the handle.

/**
 * Makes a call with a [Cancel] of its own, which is cancelled with the coroutine that makes it.
 *
 * The coroutine itself must not drop the call: UniFFI hands a result over in two steps, and what a cancelled coroutine
 * leaves between them is never freed, see `docs/decisions/011`.
 */
private suspend fun <T> cancelling(call: suspend (Cancel) -> T): T =
    Cancel().use { cancel ->
        coroutineScope {
            val end = launch(Dispatchers.Unconfined) {
                try {
                    awaitCancellation()
                } finally {
                    cancel.cancel()
                }
            }
            val outcome = withContext(NonCancellable) { runCatching { call(cancel) } }
            end.cancel()
            if (!isActive) (outcome.getOrNull() as? Disposable)?.destroy()
            ensureActive()
            outcome.getOrThrow()
        }
    }

/** Asks the issuer, and gives the home screen. */
public suspend fun Wallet.refresh(): HomeScreen = cancelling { refresh(it) }

/** Listens to the issuer's events from now on; returns once everything missed so far has been caught up. */
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
