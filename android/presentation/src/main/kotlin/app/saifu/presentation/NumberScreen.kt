package app.saifu.presentation

import app.saifu.Wallet
import app.saifu.WalletState
import kotlinx.coroutines.CoroutineScope

/** Asks for the phone number, and for an SMS to it. */
data class NumberState(
    val title: Text,
    val why: Text,
    /** As it was typed or pasted; the core reads it. */
    val number: String = "",
    val problem: Problem? = null,
    val busy: Boolean = false,
)

sealed interface NumberIntent {
    data class Typed(val number: String) : NumberIntent

    data object Send : NumberIntent

    data object Sent : NumberIntent

    data class Failed(val problem: Problem) : NumberIntent
}

class NumberStore(
    private val wallet: Wallet,
    scope: CoroutineScope,
    private val moved: () -> Unit,
) : Store<NumberState, NumberIntent>(first(wallet), scope) {
    override fun handle(state: NumberState, intent: NumberIntent): NumberState =
        when (intent) {
            is NumberIntent.Typed -> state.copy(number = intent.number, problem = null)
            NumberIntent.Send -> if (state.busy) state else ask(state)
            NumberIntent.Sent -> state.copy(busy = false).also { moved() }
            is NumberIntent.Failed -> state.copy(busy = false, problem = intent.problem)
        }

    private fun ask(state: NumberState): NumberState {
        later(NumberIntent::Failed) {
            wallet.account().signUp(state.number)
            NumberIntent.Sent
        }
        return state.copy(busy = true, problem = null)
    }

    private companion object {
        fun first(wallet: Wallet): NumberState =
            if (wallet.home().state == WalletState.PUT_ASIDE) {
                NumberState(Text("screen_number_again"), Text("label_put_aside"))
            } else {
                NumberState(Text("screen_number"), Text("label_number_why"))
            }
    }
}
