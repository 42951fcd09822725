package app.saifu

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

/** What the platform gives a wallet: its keys, a way to seal secrets, its clocks. */
public data class Host(public val keys: Keys, public val secrets: Secrets, public val clock: Clock)

/**
 * Opens the wallet in the folder that [config] names, off the caller's thread.
 *
 * The host is called through guards: whatever one of its methods throws that is no [HostException], an `Error` too,
 * reaches the wallet as [HostException.Unexpected]. Without them an `Error` thrown by a method that returns nothing would
 * read as success.
 *
 * One process opens one folder once; [finish][Wallet.finish] lets go of it.
 *
 * @throws WalletException what keeps the folder from being opened.
 */
public suspend fun openWallet(host: Host, config: Config): Wallet {
    var opened: Wallet? = null
    try {
        withContext(Dispatchers.IO) {
            val guarded = guarded(host)
            opened = Wallet.open(guarded.keys, guarded.secrets, guarded.clock, config)
        }
        return checkNotNull(opened)
    } catch (cancelled: CancellationException) {
        // It was opened for nobody, and would keep its folder until a garbage collector comes by.
        opened?.closeQuietly()
        throw cancelled
    }
}

/**
 * Runs [block] with this wallet and closes it then, whatever happens: calls that have begun come to their recorded end, the
 * folder is free and the secrets are wiped when this returns. A coroutine cancelled meanwhile waits for that too.
 *
 * The `use` of the standard library would only drop the object; importing `app.saifu.use` takes this one.
 */
public suspend inline fun <R> Wallet.use(block: (Wallet) -> R): R {
    try {
        return block(this)
    } finally {
        closeQuietly()
    }
}

/** Closes this wallet and waits for it, also in a cancelled coroutine. Nothing that fails while closing is told. */
public suspend fun Wallet.closeQuietly() {
    withContext(NonCancellable) {
        runCatching { finish() }
        destroy()
    }
}

/**
 * This wallet for Java's and Kotlin's blocking `use`: [AutoCloseable.close] waits until the wallet is closed. It blocks its
 * thread, so never call it on a UI thread.
 */
public fun Wallet.asCloseable(): AutoCloseable = AutoCloseable { runBlocking { closeQuietly() } }
