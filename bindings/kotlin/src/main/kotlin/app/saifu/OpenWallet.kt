package app.saifu

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.withContext
import java.time.Duration

/** How many events wait for a slow collector before the oldest is dropped. */
private const val HELD = 64

/** What the platform gives a wallet: its keys, a way to seal secrets, its clocks. */
public data class Host(public val keys: Keys, public val secrets: Secrets, public val clock: Clock)

/**
 * Opens the wallet in the folder that [config] names, off the caller's thread.
 *
 * The host is called through guards: whatever one of its methods throws that is no [HostException], an `Error` too,
 * reaches the wallet as [HostException.Unexpected]. Without them an `Error` thrown by a method that returns nothing would
 * read as success.
 *
 * One process opens one folder once; [close][Wallet.close] lets go of it.
 *
 * @throws WalletException what keeps the folder from being opened.
 */
public suspend fun openWallet(host: Host, config: Config): Wallet {
    var opened: Wallet? = null
    try {
        withContext(Dispatchers.IO) {
            val guarded = guarded(host)
            opened = RawWallet.open(guarded.keys, guarded.secrets, guarded.clock, config)
        }
        return checkNotNull(opened)
    } catch (cancelled: CancellationException) {
        // It was opened for nobody, and would keep its folder until a garbage collector comes by.
        opened?.close()
        throw cancelled
    }
}

/** UniFFI (0.32) renames all of an object but what its constructors give and throw: these find what is here. */
internal object FfiConverterTypeWallet {
    fun lift(handle: Long): Wallet = OpenWallet(FfiConverterTypeRawWallet.lift(handle))
}

/** The wallet over the generated object. That and its parts are the collector's to destroy; closing frees what they hold. */
internal class OpenWallet(internal val raw: RawWallet) : Wallet {
    private val account = OpenAccount(raw.account())
    private val topUps = OpenTopUps(raw.topUps())
    private val codes = OpenCodes(raw.codes())
    private val history = OpenHistory(raw.history())

    override fun account(): Account = account

    override fun topUps(): TopUps = topUps

    override fun codes(): Codes = codes

    override fun history(): History = history

    override fun home(): HomeScreen = told { raw.home() }

    override suspend fun refresh(): HomeScreen = waitingFor { raw.refresh(null) }

    override fun follow(): Unit = told { raw.follow() }

    /** Not beside its coroutine, as other calls: it brings nothing that could be lost, and might wait for ever. */
    override suspend fun followed(): Unit = told { raw.followed(null) }

    override suspend fun reset(insist: Boolean): Unit = waitingFor { raw.reset(insist, null) }

    override fun events(): Flow<WalletEvent> = heard({ it }, { null })

    override fun following(): Flow<Following> = heard({ null }, { it }).distinctUntilChanged()

    /** What an observer hears, as long as somebody collects. */
    private fun <T : Any> heard(ofEvent: (WalletEvent) -> T?, ofFollowing: (Following) -> T?): Flow<T> =
        callbackFlow {
            val observer = object : Observer {
                override fun onEvent(event: WalletEvent) {
                    ofEvent(event)?.let(::trySend)
                }

                override fun onFollowing(following: Following) {
                    ofFollowing(following)?.let(::trySend)
                }

                override fun onEnd() {
                    close()
                }
            }
            val subscription = told { raw.subscribe(observer) }
            awaitClose {
                subscription.cancel()
                subscription.destroy()
            }
        }.buffer(HELD, BufferOverflow.DROP_OLDEST)

    override fun lock(): Unit = told { raw.lock() }

    override suspend fun unlock(): Unit = withContext(Dispatchers.IO) { told { raw.unlock() } }

    override fun setPatience(patience: Duration) {
        val ms = try {
            patience.toMillis()
        } catch (_: ArithmeticException) {
            if (patience.isNegative) -1 else Long.MAX_VALUE
        }
        told { raw.setPatience(ms) }
    }

    override suspend fun close(): Unit = withContext(NonCancellable) { raw.finish() }
}
