package app.saifu.presentation

import app.saifu.EntryKind
import app.saifu.PaymentCode
import app.saifu.Purpose
import app.saifu.Symbol
import app.saifu.Wallet
import app.saifu.WalletEvent
import app.saifu.WalletException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch

/** The code at the till, and what became of it. */
sealed interface PayState {
    /** A till has decided. */
    val isOver: Boolean get() = this is Paid || this is Declined

    /** The first code is on its way. */
    data object Loading : PayState

    /** A code to scan. */
    data class Showing(
        val code: Code,
        val balance: Text?,
        /** How old the balance is, if that matters. */
        val age: Text?,
        val refreshIn: Text,
        /** What is different about this code: made without a network, or resting on a clock that may be wrong. */
        val note: Text?,
    ) : PayState

    /** A till took the money. */
    data class Paid(val yen: Long, val at: Text?, val balance: Text, val points: Text?) : PayState

    /** A till scanned the code and was refused. */
    data class Declined(val yen: Long, val at: Text, val reason: Text) : PayState

    /** There is no code. */
    data class Failed(val problem: Problem) : PayState
}

/** The symbols, and the digits in fours. */
data class Code(val barcode: Symbol, val qr: Symbol, val digits: List<String>) {
    /** Money: it prints nothing. */
    override fun toString(): String = "Code(…)"
}

sealed interface PayIntent {
    data object Second : PayIntent

    /** Another code is in hand. */
    data object Fetched : PayIntent

    data object Retry : PayIntent

    data class Happened(val event: WalletEvent) : PayIntent

    data class Failed(val problem: Problem) : PayIntent
}

class PayStore(
    private val wallet: Wallet,
    seconds: Flow<Unit>,
    scope: CoroutineScope,
    private val platform: Platform,
) : Store<PayState, PayIntent>(PayState.Loading, scope) {
    /** Whether a code is being fetched. */
    private var fetching = false

    init {
        scope.launch { wallet.events().collect { send(PayIntent.Happened(it)) } }
        scope.launch { seconds.collect { send(PayIntent.Second) } }
    }

    override fun handle(state: PayState, intent: PayIntent): PayState =
        when (intent) {
            PayIntent.Second -> if (state.isOver) state else look(state)
            PayIntent.Fetched -> {
                fetching = false
                if (state.isOver) state else look(state)
            }
            PayIntent.Retry -> look(PayState.Loading)
            is PayIntent.Happened -> happened(state, intent.event)
            is PayIntent.Failed -> {
                fetching = false
                if (state is PayState.Loading) PayState.Failed(intent.problem) else state
            }
        }

    /** A stale code is never drawn: what is shown was asked for at this very second. */
    private fun look(state: PayState): PayState {
        val code = try {
            wallet.codes().current(Purpose.PAY)
        } catch (error: WalletException) {
            return PayState.Failed(Problem.of(error))
        }
        if (code == null || code.fetchNext) fetch()
        return when {
            code != null -> showing(code)
            state is PayState.Failed -> state
            else -> PayState.Loading
        }
    }

    private fun fetch() {
        if (fetching) return
        fetching = true
        later(PayIntent::Failed) {
            wallet.codes().next(Purpose.PAY)
            PayIntent.Fetched
        }
    }

    private fun showing(code: PaymentCode): PayState {
        val home = wallet.home()
        val old = home.age?.takeIf { it.toMinutes() > 0 }
        return PayState.Showing(
            code = Code(code.barcode, code.qr, code.digits.expose().chunked(FOURS)),
            balance = home.balanceYen?.let { Text("label_balance_of", Argument.Yen(it)) },
            age = old?.let { Text("label_ago", Argument.Span(it)) },
            refreshIn = Text("label_refresh_in", Argument.Span(code.refreshIn)),
            note = if (code.offline) Text("label_pay_offline", Argument.Yen(code.capYen)) else null,
        )
    }

    private fun happened(state: PayState, event: WalletEvent): PayState =
        when {
            event is WalletEvent.Entry && event.entry.kind == EntryKind.PAYMENT -> {
                platform.felt(paid = true)
                PayState.Paid(
                    yen = event.entry.yen,
                    at = event.entry.merchant?.let { Text("label_name", Argument.Name(it)) },
                    balance = Text("label_balance_of", Argument.Yen(event.balanceYen)),
                    points = event.entry.points.takeIf { it > 0 }?.let { Text("label_points_more", Argument.Count(it)) },
                )
            }
            event is WalletEvent.Declined -> {
                platform.felt(paid = false)
                PayState.Declined(
                    yen = event.yen,
                    at = Text("label_name", Argument.Name(event.merchant)),
                    reason = Text(Problem.key("refused", event.reason)),
                )
            }
            else -> state
        }

    private companion object {
        const val FOURS = 4
    }
}
