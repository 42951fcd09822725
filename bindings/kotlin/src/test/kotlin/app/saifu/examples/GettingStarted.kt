package app.saifu.examples

import app.saifu.Config
import app.saifu.Following
import app.saifu.HomeScreen
import app.saifu.Host
import app.saifu.LogLevel
import app.saifu.LogSink
import app.saifu.PaymentCode
import app.saifu.Purpose
import app.saifu.TopUp
import app.saifu.Wallet
import app.saifu.WalletException
import app.saifu.WalletState
import app.saifu.openWallet
import app.saifu.setLog
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import java.io.File

// The code of docs/android.md. DocsTest compares the two, and plays what is here against a sandbox.

// begin: open
suspend fun open(noBackupFilesDir: File, host: Host, issuer: Config): Wallet {
    val folder = File(noBackupFilesDir, "wallet").path
    return openWallet(host, issuer.copy(folder = folder))
}
// end: open

// begin: first-screen
enum class FirstScreen { NUMBER, CODE, HOME, UNLOCK }

fun firstScreen(wallet: Wallet): FirstScreen =
    when (wallet.home().state) {
        WalletState.READY -> FirstScreen.HOME
        WalletState.LOCKED -> FirstScreen.UNLOCK
        WalletState.NO_ACCOUNT, WalletState.SIGNING_UP, WalletState.PUT_ASIDE ->
            if (wallet.account().signUpInProgress() == null) FirstScreen.NUMBER else FirstScreen.CODE
    }
// end: first-screen

// begin: sign-up
suspend fun signUp(wallet: Wallet, number: String, code: suspend () -> String) {
    val account = wallet.account()
    if (account.signUpInProgress() == null) account.signUp(number)
    account.confirm(code())
}
// end: sign-up

// begin: home
fun show(wallet: Wallet, scope: CoroutineScope, render: (HomeScreen) -> Unit) {
    render(wallet.home())
    scope.launch { wallet.events().collect { render(wallet.home()) } }
    scope.launch { wallet.following().collect { render(wallet.home()) } }
    if (wallet.home().state == WalletState.READY) wallet.follow()
}

/** What stands above the figures, if something is in the way. */
fun banner(home: HomeScreen): String? =
    when {
        home.state != WalletState.READY -> home.wayOut
        home.following is Following.Waiting -> "No connection. These are the figures of before."
        else -> null
    }
// end: home

// begin: pay
suspend fun codeToShow(wallet: Wallet): PaymentCode =
    wallet.codes().run { current(Purpose.PAY) ?: next(Purpose.PAY) }
// end: pay

// begin: top-up
suspend fun topUp(wallet: Wallet, yen: Long, prompt: suspend (String, ByteArray) -> ByteArray): TopUp {
    val approval = wallet.topUps().prepareAtm(yen)
    return approval.confirm(prompt(approval.text(), approval.signingBytes()))
}
// end: top-up

// begin: errors
fun words(error: WalletException): String =
    when (error) {
        is WalletException.Offline, is WalletException.NoAnswer -> "${error.message} ${error.info.next}"
        is WalletException.Refused -> error.message + error.info.detail?.let { " ($it)" }.orEmpty()
        else -> "${error.message} ${error.info.next} [${error.info.code}]"
    }
// end: errors

// begin: log
fun logTo(write: (String) -> Unit) {
    val sink = object : LogSink {
        override fun onLines(lines: List<String>) = lines.forEach(write)
    }
    setLog(LogLevel.INFO, sink)
}
// end: log
