package app.saifu.presentation

import app.saifu.HostException
import app.saifu.WalletException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.launch

/**
 * One screen's state, and the only place where it changes. [send] takes what the person did; what asynchronous work came to
 * comes back the same way, so intents are handled one after the other and none is lost. It ends with [scope].
 */
abstract class Store<S : Any, I : Any>(initial: S, protected val scope: CoroutineScope) {
    private val shown = MutableStateFlow(initial)
    private val intents = Channel<I>(Channel.UNLIMITED)

    val state: StateFlow<S> get() = shown

    init {
        scope.launch { for (intent in intents) shown.value = handle(shown.value, intent) }
    }

    fun send(intent: I) {
        intents.trySend(intent)
    }

    /** What an intent makes of a state. What takes time is left to [later]. */
    protected abstract fun handle(state: S, intent: I): S

    /** Does something that takes time. What it comes to is sent as an intent, also why the wallet or the key store refused. */
    protected fun later(refused: (Problem) -> I, work: suspend () -> I) {
        scope.launch {
            send(
                try {
                    work()
                } catch (error: WalletException) {
                    refused(Problem.of(error))
                } catch (failure: HostException) {
                    refused(Problem.of(failure))
                },
            )
        }
    }
}
