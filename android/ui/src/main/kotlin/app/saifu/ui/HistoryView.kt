package app.saifu.ui

import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Box
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.text.input.KeyboardType
import app.saifu.presentation.Detail
import app.saifu.presentation.HistoryIntent
import app.saifu.presentation.HistoryState
import app.saifu.presentation.Text as Words

/** What has happened to the money, and one line of it in full. */
@Composable
fun HistoryView(state: HistoryState, close: () -> Unit, send: (HistoryIntent) -> Unit) {
    val detail = state.detail
    if (detail == null) Lines(state, close, send) else Full(detail) { send(HistoryIntent.Close) }
}

@Composable
private fun Lines(state: HistoryState, close: () -> Unit, send: (HistoryIntent) -> Unit) {
    Sheet(Words("screen_history"), close) {
        Field(Words("label_search"), state.search, KeyboardType.Text, {}) { send(HistoryIntent.Search(it)) }
        state.note?.let {
            Gap(Space.l)
            Label(it)
        }
        Gap(Space.m)
        for (row in state.rows) {
            Box(Modifier.clickable(role = Role.Button) { send(HistoryIntent.Open(row.id)) }) { HistoryRow(row) }
            Hairline()
        }
    }
}

@Composable
private fun Full(detail: Detail, close: () -> Unit) {
    Sheet(detail.row.title, close) {
        Moved(detail.row.yen)
        Gap(Space.m)
        Body(detail.kind)
        Body(detail.row.at)
        detail.points?.let { Body(it) }
        Gap(Space.l)
        Label(detail.id)
    }
}
