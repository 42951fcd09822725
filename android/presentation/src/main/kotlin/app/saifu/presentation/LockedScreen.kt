package app.saifu.presentation

import app.saifu.Wallet
import kotlinx.coroutines.CoroutineScope

/** A locked wallet: nothing is known of it until it is unlocked. */
data class LockedState(val problem: Problem? = null, val busy: Boolean = false)

sealed interface LockedIntent {
    data object Unlock : LockedIntent

    data object Unlocked : LockedIntent

    data class Failed(val problem: Problem) : LockedIntent
}

class LockedStore(
    private val wallet: Wallet,
    scope: CoroutineScope,
    private val moved: () -> Unit,
) : Store<LockedState, LockedIntent>(LockedState(), scope) {
    override fun handle(state: LockedState, intent: LockedIntent): LockedState =
        when (intent) {
            LockedIntent.Unlock -> if (state.busy) state else unlock()
            LockedIntent.Unlocked -> LockedState().also { moved() }
            is LockedIntent.Failed -> LockedState(intent.problem)
        }

    private fun unlock(): LockedState {
        later(LockedIntent::Failed) {
            wallet.unlock()
            LockedIntent.Unlocked
        }
        return LockedState(busy = true)
    }
}
