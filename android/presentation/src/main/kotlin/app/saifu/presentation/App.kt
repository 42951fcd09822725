package app.saifu.presentation

import app.saifu.Wallet
import app.saifu.WalletState
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow

/** Where the app is: it follows from the wallet, and from what the owner opened upon it. */
enum class Place { NUMBER, SMS, LOCKED, HOME, PAY, TOP_UP, TOTP, HISTORY, NOTICES }

/** The app upon one wallet: where it is, and the stores of its screens. Each store ends with the scope it is given. */
class App(private val wallet: Wallet, private val platform: Platform) {
    val navigation: Navigation = Navigation(wallet)

    fun number(scope: CoroutineScope): NumberStore = NumberStore(wallet, scope, navigation::look)

    fun sms(scope: CoroutineScope): SmsStore = SmsStore(wallet, platform.seconds, scope, navigation::look)

    fun home(scope: CoroutineScope): HomeStore = HomeStore(wallet, platform.seconds, scope)

    fun pay(scope: CoroutineScope): PayStore = PayStore(wallet, platform.seconds, scope, platform)

    fun topUp(scope: CoroutineScope): TopUpStore = TopUpStore(wallet, platform.seconds, scope, platform)

    fun totp(scope: CoroutineScope): TotpStore = TotpStore(wallet, platform.seconds, scope)

    fun history(say: Say, scope: CoroutineScope): HistoryStore = HistoryStore(wallet, say, scope)

    fun notices(scope: CoroutineScope): NoticesStore = NoticesStore(wallet, scope)

    fun locked(scope: CoroutineScope): LockedStore = LockedStore(wallet, scope, navigation::look)
}

/** Navigation is state. What the wallet says comes first: nothing lies upon a locked wallet or a sign-up. */
class Navigation(private val wallet: Wallet) {
    private val shown = MutableStateFlow(base())

    val place: StateFlow<Place> get() = shown

    /** Asks the wallet again: after a sign-up, a lock, an unlocking, a reset. */
    fun look() {
        val base = base()
        if (base != Place.HOME || shown.value in BASES) shown.value = base
    }

    /** Opens something upon the home screen; upon the wait for an SMS only another number. */
    fun open(place: Place) {
        val base = base()
        if (base == Place.HOME || (base == Place.SMS && place == Place.NUMBER)) shown.value = place
    }

    fun back() {
        shown.value = base()
    }

    private fun base(): Place =
        when (wallet.home().state) {
            WalletState.READY -> Place.HOME
            WalletState.LOCKED -> Place.LOCKED
            WalletState.NO_ACCOUNT, WalletState.SIGNING_UP, WalletState.PUT_ASIDE ->
                if (wallet.account().signUpInProgress() == null) Place.NUMBER else Place.SMS
        }

    private companion object {
        val BASES = setOf(Place.NUMBER, Place.SMS, Place.LOCKED)
    }
}
