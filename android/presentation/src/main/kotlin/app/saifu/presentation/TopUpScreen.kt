package app.saifu.presentation

import app.saifu.EntryKind
import app.saifu.IntentDetail
import app.saifu.PendingEntry
import app.saifu.PendingWhat
import app.saifu.Wallet
import app.saifu.WalletEvent
import app.saifu.WalletException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch

/** Cash at an ATM: how much, the owner's approval, then what to type at the machine. */
sealed interface TopUpState {
    /** How much. */
    data class Choosing(
        val chosen: Long,
        /** What may still be topped up today, if it is known. */
        val left: Text?,
        val problem: Problem? = null,
        val busy: Boolean = false,
    ) : TopUpState {
        val amounts: List<Long> get() = AMOUNTS
    }

    /** Number and code for the machine. */
    data class Waiting(val yen: Long, val number: List<String>, val totp: Totp?, val until: Text) : TopUpState {
        /** Together they are cash: it prints nothing. */
        override fun toString(): String = "Waiting(…)"
    }

    /** It was approved, and it is not known yet whether it arrived. */
    data class Asking(val yen: Long) : TopUpState

    /** The machine took the cash. */
    data class Done(val yen: Long, val balance: Text) : TopUpState

    companion object {
        private val AMOUNTS = listOf(1_000L, 3_000L, 5_000L, 10_000L)
        val FIRST: Long = AMOUNTS[2]
    }
}

sealed interface TopUpIntent {
    data class Choose(val yen: Long) : TopUpIntent

    data object Approve : TopUpIntent

    data object Second : TopUpIntent

    data class Happened(val event: WalletEvent) : TopUpIntent

    /** The approving is over: sent, declined by the owner, or failed. */
    data class Over(val problem: Problem?) : TopUpIntent
}

class TopUpStore(
    private val wallet: Wallet,
    seconds: Flow<Unit>,
    scope: CoroutineScope,
    private val platform: Platform,
) : Store<TopUpState, TopUpIntent>(look(wallet, choosing(wallet)), scope) {
    init {
        scope.launch { wallet.events().collect { send(TopUpIntent.Happened(it)) } }
        scope.launch { seconds.collect { send(TopUpIntent.Second) } }
    }

    override fun handle(state: TopUpState, intent: TopUpIntent): TopUpState =
        if (state is TopUpState.Done) state else goOn(state, intent)

    private fun goOn(state: TopUpState, intent: TopUpIntent): TopUpState =
        when (intent) {
            is TopUpIntent.Choose -> if (state is TopUpState.Choosing) state.copy(chosen = intent.yen, problem = null) else state
            TopUpIntent.Approve -> if (state is TopUpState.Choosing && !state.busy) approve(state) else state
            TopUpIntent.Second -> look(wallet, state)
            is TopUpIntent.Happened -> happened(state, intent.event)
            is TopUpIntent.Over -> {
                val choosing = state as? TopUpState.Choosing ?: choosing(wallet)
                look(wallet, choosing.copy(busy = false, problem = intent.problem))
            }
        }

    private fun approve(state: TopUpState.Choosing): TopUpState {
        later(TopUpIntent::Over) {
            val approval = wallet.topUps().prepareAtm(state.chosen)
            val text = Text("label_approve_top_up", Argument.Yen(state.chosen))
            platform.approve(text, approval.signingBytes())?.let { approval.confirm(it) }
            TopUpIntent.Over(null)
        }
        return state.copy(busy = true, problem = null)
    }

    private fun happened(state: TopUpState, event: WalletEvent): TopUpState =
        if (event is WalletEvent.Entry && event.entry.kind == EntryKind.TOP_UP) {
            platform.felt(paid = true)
            TopUpState.Done(event.entry.yen, Text("label_balance_of", Argument.Yen(event.balanceYen)))
        } else {
            look(wallet, state)
        }

    private companion object {
        const val GROUP = 4

        fun choosing(wallet: Wallet): TopUpState.Choosing =
            TopUpState.Choosing(
                chosen = TopUpState.FIRST,
                left = wallet.home().topUpLeftYen?.let { Text("label_top_up_left", Argument.Yen(it)) },
            )

        /** What waits comes before what could be chosen. */
        fun look(wallet: Wallet, state: TopUpState): TopUpState {
            val open = try {
                wallet.topUps().pending().firstNotNullOfOrNull { waiting(wallet, it) }
            } catch (error: WalletException) {
                return choosing(wallet).copy(problem = Problem.of(error))
            }
            return open ?: state as? TopUpState.Choosing ?: choosing(wallet)
        }

        fun waiting(wallet: Wallet, entry: PendingEntry): TopUpState? =
            when (val what = entry.what) {
                PendingWhat.SignUp -> null
                is PendingWhat.Unknown -> when (val detail = what.detail) {
                    is IntentDetail.TopUp -> TopUpState.Asking(detail.yen)
                }
                is PendingWhat.Accepted -> when (val detail = what.detail) {
                    is IntentDetail.TopUp -> detail.number?.let { number ->
                        val until = Text("label_number_until", Argument.Moment(entry.endsBy))
                        TopUpState.Waiting(detail.yen, number.expose().chunked(GROUP), totp(wallet), until)
                    }
                }
            }

        fun totp(wallet: Wallet): Totp? =
            try {
                Totp.of(wallet.account().totp())
            } catch (_: WalletException) {
                null
            }
    }
}
