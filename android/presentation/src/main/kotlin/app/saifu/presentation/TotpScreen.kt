package app.saifu.presentation

import app.saifu.TimeTrust
import app.saifu.TotpCode
import app.saifu.Wallet
import app.saifu.WalletException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch

/** The code that proves this phone, at an ATM or to support. */
sealed interface TotpState {
    data class Showing(val totp: Totp) : TotpState

    data class Failed(val problem: Problem) : TotpState
}

/** A TOTP code in groups, for how long it holds, and what may be wrong with it. */
data class Totp(val digits: List<String>, val holdsFor: Text, val note: Text?) {
    /** It proves this phone: it prints nothing. */
    override fun toString(): String = "Totp(…)"

    companion object {
        private const val GROUP = 3

        fun of(code: TotpCode): Totp =
            Totp(
                digits = code.code.expose().chunked(GROUP),
                holdsFor = Text("label_totp_for", Argument.Span(code.validFor)),
                note = doubt(code.trust),
            )

        /** What a customer is told of a time that rests on the phone's own clock. */
        fun doubt(trust: TimeTrust): Text? =
            when (trust) {
                TimeTrust.FULL, TimeTrust.WALL_DISAGREES -> null
                TimeTrust.REBOOTED, TimeTrust.UNANCHORED -> Text("label_wall_clock")
            }
    }
}

sealed interface TotpIntent {
    data object Second : TotpIntent
}

class TotpStore(
    private val wallet: Wallet,
    seconds: Flow<Unit>,
    scope: CoroutineScope,
) : Store<TotpState, TotpIntent>(look(wallet), scope) {
    init {
        scope.launch { seconds.collect { send(TotpIntent.Second) } }
    }

    override fun handle(state: TotpState, intent: TotpIntent): TotpState = look(wallet)

    private companion object {
        fun look(wallet: Wallet): TotpState =
            try {
                TotpState.Showing(Totp.of(wallet.account().totp()))
            } catch (error: WalletException) {
                TotpState.Failed(Problem.of(error))
            }
    }
}
