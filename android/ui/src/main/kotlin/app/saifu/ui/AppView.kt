package app.saifu.ui

import androidx.compose.runtime.Composable
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.key
import androidx.compose.runtime.remember
import androidx.compose.runtime.rememberCoroutineScope
import app.saifu.presentation.App
import app.saifu.presentation.Place
import app.saifu.presentation.Store
import kotlinx.coroutines.CoroutineScope

/** The whole app: the screen of where it is. A screen's store lives for as long as it is shown. */
@Composable
fun AppView(app: App) {
    val place by app.navigation.place.collectAsState()
    val (open, back) = app.navigation::open to app.navigation::back
    key(place) {
        when (place) {
            Place.NUMBER -> Live(app::number) { state, send -> NumberView(state, send) }
            Place.SMS -> Live(app::sms) { state, send -> SmsView(state, { open(Place.NUMBER) }, send) }
            Place.LOCKED -> Live(app::locked) { state, send -> LockedView(state, send) }
            Place.NOTICES -> Live(app::notices) { state, _ -> NoticesView(state, back) }
            Place.HOME -> Live(app::home) { state, send -> HomeView(state, open, send) }
            Place.TOP_UP -> Live(app::topUp) { state, send -> TopUpView(state, back, send) }
            Place.TOTP -> Live(app::totp) { state, _ -> TotpView(state, back) }
            Place.HISTORY -> {
                val say = Look.say
                Live({ app.history(say, it) }) { state, send -> HistoryView(state, back, send) }
            }
            Place.PAY -> Live(app::pay) { state, send -> PayView(state, back, send) }
        }
    }
}

@Composable
private fun <S : Any, I : Any> Live(make: (CoroutineScope) -> Store<S, I>, view: @Composable (S, (I) -> Unit) -> Unit) {
    val scope = rememberCoroutineScope()
    val store = remember { make(scope) }
    val state by store.state.collectAsState()
    view(state, store::send)
}
