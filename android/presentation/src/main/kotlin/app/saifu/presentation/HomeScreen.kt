package app.saifu.presentation

import app.saifu.EntryKind
import app.saifu.Following
import app.saifu.HistoryEntry
import app.saifu.HistoryScreen
import app.saifu.HomeScreen
import app.saifu.Offer
import app.saifu.Wallet
import app.saifu.WalletException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.launch

/** The balance, what happened last, and what can be done. */
data class HomeState(
    /** In yen; nothing while it is not known. */
    val balance: Long?,
    /** How old that is, or why it is not known. */
    val updated: Text,
    val points: Text?,
    /** What is in the way of fresh figures. */
    val notice: Text?,
    val recent: List<Row>,
    /** What stands where there are no lines, or above lines of which some are missing. */
    val recentNote: Text?,
    val pay: Choice,
    val topUp: Choice,
    val totp: Choice,
)

/** Something that can be chosen, what it does, or why it cannot. */
data class Choice(val label: Text, val stopped: Text?, val hint: Text? = null)

/** A line of the history. */
data class Row(val id: String, val title: Text, val at: Text, val yen: Long)

sealed interface HomeIntent {
    /** Look again at all that the core knows: something happened. */
    data object Look : HomeIntent

    /** Some time went by: figures are older, and no line is new. */
    data object Second : HomeIntent

    /** The owner wants fresh figures. */
    data object Refresh : HomeIntent

    data class Seen(val history: HistoryScreen) : HomeIntent

    /** The lines could not be read; those that were seen stay. */
    data object NotSeen : HomeIntent
}

class HomeStore(
    private val wallet: Wallet,
    seconds: Flow<Unit>,
    scope: CoroutineScope,
) : Store<HomeState, HomeIntent>(state(wallet.home(), NOTHING_YET), scope) {
    private var known = NOTHING_YET

    init {
        scope.launch { wallet.events().collect { send(HomeIntent.Look) } }
        scope.launch { wallet.following().collect { send(HomeIntent.Look) } }
        scope.launch { seconds.collect { send(HomeIntent.Second) } }
        scope.launch { runCatching { wallet.follow() } }
    }

    override fun handle(state: HomeState, intent: HomeIntent): HomeState =
        when (intent) {
            HomeIntent.Look -> state.also { later({ HomeIntent.NotSeen }, ::look) }
            HomeIntent.Refresh -> state.also { later({ HomeIntent.NotSeen }, ::refresh) }
            HomeIntent.Second, HomeIntent.NotSeen -> state(wallet.home(), known)
            is HomeIntent.Seen -> {
                known = intent.history
                state(wallet.home(), known)
            }
        }

    private suspend fun look(): HomeIntent = HomeIntent.Seen(wallet.history().newest(RECENT))

    /** What a refresh that failed says stands on the home screen anyway: how old the figures are, and that nothing connects. */
    private suspend fun refresh(): HomeIntent {
        try {
            wallet.refresh()
        } catch (_: WalletException) {
        }
        return look()
    }

    companion object {
        private const val RECENT = 3
        private val NOTHING_YET = HistoryScreen(listOf(), true)

        fun state(home: HomeScreen, history: HistoryScreen): HomeState =
            HomeState(
                balance = home.balanceYen,
                updated = updated(home),
                points = home.points?.let { Text("label_points", Argument.Count(it)) },
                notice = notice(home),
                recent = history.entries.map(::row),
                recentNote = when {
                    history.incomplete -> Text("label_history_incomplete")
                    history.entries.isEmpty() -> Text("label_recent_none")
                    else -> null
                },
                pay = Choice(Text("action_pay"), stopped(home.pay), Text("label_pay_how")),
                topUp = Choice(Text("action_top_up"), stopped(home.topUp)),
                totp = Choice(Text("action_show_totp"), stopped(home.totp)),
            )

        private fun updated(home: HomeScreen): Text {
            val age = home.age ?: return Text("label_balance_unknown")
            return if (age.toMinutes() == 0L) Text("label_updated_now") else Text("label_updated_ago", Argument.Span(age))
        }

        private fun notice(home: HomeScreen): Text? =
            if (home.following is Following.Waiting) Text("label_offline") else Totp.doubt(home.trust)

        private fun stopped(offer: Offer): Text? =
            if (offer == Offer.OPEN) null else Text("stopped_${offer.name.lowercase()}")

        fun row(entry: HistoryEntry): Row =
            Row(entry.id, title(entry), Text("label_at", Argument.Moment(entry.at)), entry.yen)

        /** Where it was, but for cash: the machine's owner says nothing to a customer. */
        private fun title(entry: HistoryEntry): Text {
            val merchant = entry.merchant?.takeIf { entry.kind != EntryKind.TOP_UP }
            return if (merchant == null) Text(kind(entry.kind)) else Text("label_name", Argument.Name(merchant))
        }

        fun kind(kind: EntryKind): String =
            when (kind) {
                EntryKind.PAYMENT -> "entry_payment"
                EntryKind.TOP_UP -> "entry_top_up"
                EntryKind.REFUND -> "entry_refund"
                EntryKind.REVERSAL -> "entry_reversal"
                EntryKind.OTHER -> "entry_other"
            }
    }
}
