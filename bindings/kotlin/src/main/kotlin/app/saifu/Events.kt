package app.saifu

import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow

/** How many events wait for a slow collector before the oldest is dropped. */
private const val HELD = 64

/**
 * What happens to the account, from the moment of collecting on. Collecting subscribes; the subscription ends with the
 * collector, and the flow ends when the wallet is closed. Each collector has its own.
 *
 * It is a hint to look, not the books: a collector that falls more than 64 events behind loses the oldest, and what
 * happened while nobody collected is not repeated. [Wallet.home] and [History] always have all of it. Events come while
 * [Wallet.follow] has told the wallet to listen to the issuer.
 */
public fun Wallet.events(): Flow<WalletEvent> =
    callbackFlow {
        val observer = object : Observer {
            override fun onEvent(event: WalletEvent) {
                trySend(event)
            }

            override fun onEnd() {
                close()
            }
        }
        val subscription = subscribe(observer)
        awaitClose {
            subscription.cancel()
            subscription.destroy()
        }
    }.buffer(HELD, BufferOverflow.DROP_OLDEST)
