package app.saifu

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import java.time.Instant

// The parts of a wallet over their generated objects.

/**
 * Waits for [call], which goes on beside this coroutine when that is cancelled.
 *
 * Dropped by its coroutine, the call could lose its result: UniFFI hands it over in two steps, and what is left between them
 * is never freed, see `docs/decisions/011`.
 */
internal suspend fun <T> waitingFor(call: suspend () -> T): T {
    val context = currentCoroutineContext()
    context.ensureActive()
    return told { CoroutineScope(context.minusKey(Job)).async(start = CoroutineStart.UNDISPATCHED) { call() }.await() }
}

internal class OpenAccount(internal val raw: RawAccount) : Account {
    override suspend fun signUp(number: String): SignUpScreen = waitingFor { raw.signUp(number, null) }

    override fun signUpInProgress(): SignUpScreen? = told { raw.signUpInProgress() }

    override suspend fun confirm(code: String): String = waitingFor { raw.confirm(code, null) }

    override fun totp(): TotpCode = told { raw.totp() }
}

internal class OpenTopUps(internal val raw: RawTopUps) : TopUps {
    override suspend fun prepareAtm(yen: Long): Approval = OpenApproval(waitingFor { raw.prepareAtm(yen, null) })

    override fun pending(): List<PendingEntry> = told { raw.pending() }
}

internal class OpenApproval(internal val raw: RawApproval) : Approval {
    override fun text(): String = raw.text()

    override fun signingBytes(): ByteArray = raw.signingBytes()

    override fun intent(): String = raw.intent()

    override fun expiresAt(): Instant = raw.expiresAt()

    override suspend fun confirm(signature: ByteArray): TopUp = waitingFor { raw.confirm(signature, null) }
}

internal class OpenCodes(internal val raw: RawCodes) : Codes {
    override fun current(purpose: Purpose): PaymentCode? = told { raw.current(purpose) }

    override suspend fun next(purpose: Purpose): PaymentCode = waitingFor { raw.next(purpose, null) }
}

internal class OpenHistory(internal val raw: RawHistory) : History {
    override suspend fun newest(limit: Int): HistoryScreen = waitingFor { raw.newest(limit, null) }
}
