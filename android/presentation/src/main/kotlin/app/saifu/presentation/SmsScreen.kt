package app.saifu.presentation

import app.saifu.SignUpScreen
import app.saifu.Wallet
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch

/** Asks for the code of the SMS. */
data class SmsState(
    val sentTo: Text,
    /** As it was typed, pasted or filled in. */
    val code: String = "",
    /** Until another SMS can be asked for: nothing once it can. */
    val againIn: Text? = null,
    val problem: Problem? = null,
    val busy: Boolean = false,
)

sealed interface SmsIntent {
    data class Typed(val code: String) : SmsIntent

    data object Confirm : SmsIntent

    data object Again : SmsIntent

    data object Second : SmsIntent

    data object Confirmed : SmsIntent

    data object Sent : SmsIntent

    data class Failed(val problem: Problem) : SmsIntent
}

class SmsStore(
    private val wallet: Wallet,
    seconds: Flow<Unit>,
    scope: CoroutineScope,
    private val moved: () -> Unit,
) : Store<SmsState, SmsIntent>(look(wallet, SmsState(Text("label_sms"))), scope) {
    init {
        scope.launch { seconds.collect { send(SmsIntent.Second) } }
    }

    override fun handle(state: SmsState, intent: SmsIntent): SmsState =
        when (intent) {
            is SmsIntent.Typed -> state.copy(code = intent.code, problem = null)
            SmsIntent.Confirm -> ask(state, SmsIntent.Confirmed) { wallet.account().confirm(state.code) }
            SmsIntent.Again -> ask(state, SmsIntent.Sent) { again() }
            SmsIntent.Second -> look(wallet, state)
            SmsIntent.Sent -> look(wallet, state.copy(busy = false, code = ""))
            SmsIntent.Confirmed -> state.copy(busy = false).also { moved() }
            is SmsIntent.Failed -> look(wallet, state.copy(busy = false, problem = intent.problem)).also { ended() }
        }

    private fun ask(state: SmsState, done: SmsIntent, work: suspend () -> Unit): SmsState {
        if (state.busy) return state
        later(SmsIntent::Failed) {
            work()
            done
        }
        return state.copy(busy = true, problem = null)
    }

    private suspend fun again() {
        val number = wallet.account().signUpInProgress()?.number ?: return
        wallet.account().signUp(number.expose())
    }

    /** A refusal may have ended the sign-up: then the number is asked for again. */
    private fun ended() {
        if (wallet.account().signUpInProgress() == null) moved()
    }

    private companion object {
        fun look(wallet: Wallet, state: SmsState): SmsState {
            val waiting: SignUpScreen = wallet.account().signUpInProgress() ?: return state
            val dead = waiting.expiresIn.isZero
            return state.copy(
                sentTo = if (dead) Text("label_sms_expired") else Text("label_sms_sent", Argument.Phone(waiting.number)),
                againIn = waiting.resendIn.takeUnless { it.isZero }?.let { Text("label_sms_again_in", Argument.Span(it)) },
            )
        }
    }
}
