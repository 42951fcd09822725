package app.saifu.presentation

import app.saifu.HistoryEntry
import app.saifu.HistoryScreen
import app.saifu.Wallet
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch

/** What has happened to the money, newest first; what is searched for; the one line that is looked at. */
data class HistoryState(
    val rows: List<Row> = listOf(),
    val search: String = "",
    /** What stands where there are no lines, or above lines of which some are missing. */
    val note: Text? = null,
    val detail: Detail? = null,
)

/** A line in full. */
data class Detail(val row: Row, val kind: Text, val points: Text?, val id: Text)

sealed interface HistoryIntent {
    data object Look : HistoryIntent

    data class Seen(val history: HistoryScreen) : HistoryIntent

    data class Failed(val problem: Problem) : HistoryIntent

    data class Search(val text: String) : HistoryIntent

    data class Open(val id: String) : HistoryIntent

    data object Close : HistoryIntent
}

class HistoryStore(
    private val wallet: Wallet,
    private val say: Say,
    scope: CoroutineScope,
) : Store<HistoryState, HistoryIntent>(HistoryState(), scope) {
    private var known = HistoryScreen(listOf(), true)

    init {
        send(HistoryIntent.Look)
        scope.launch { wallet.events().collect { send(HistoryIntent.Look) } }
    }

    override fun handle(state: HistoryState, intent: HistoryIntent): HistoryState =
        when (intent) {
            HistoryIntent.Look -> state.also { later(HistoryIntent::Failed) { HistoryIntent.Seen(wallet.history().newest(MANY)) } }
            is HistoryIntent.Seen -> {
                known = intent.history
                found(state)
            }
            is HistoryIntent.Failed -> state.copy(note = intent.problem.text)
            is HistoryIntent.Search -> found(state.copy(search = intent.text))
            is HistoryIntent.Open -> state.copy(detail = known.entries.find { it.id == intent.id }?.let(::detail))
            HistoryIntent.Close -> state.copy(detail = null)
        }

    /** A line is found by anything that stands in it. */
    private fun found(state: HistoryState): HistoryState {
        val wanted = state.search.trim()
        val rows = known.entries.map(HomeStore::row).filter { row ->
            listOf(say.text(row.title), say.text(row.at), say.signed(row.yen)).any { it.contains(wanted, ignoreCase = true) }
        }
        val note = when {
            rows.isEmpty() && wanted.isNotEmpty() -> Text("label_history_not_found")
            known.incomplete -> Text("label_history_incomplete")
            rows.isEmpty() -> Text("label_recent_none")
            else -> null
        }
        return state.copy(rows = rows, note = note)
    }

    private fun detail(entry: HistoryEntry): Detail =
        Detail(
            row = HomeStore.row(entry),
            kind = Text(HomeStore.kind(entry.kind)),
            points = entry.points.takeIf { it != 0L }?.let { Text("label_points", Argument.Count(it)) },
            id = Text("label_details", Argument.Name(entry.id)),
        )

    private companion object {
        const val MANY = 1_000
    }
}
