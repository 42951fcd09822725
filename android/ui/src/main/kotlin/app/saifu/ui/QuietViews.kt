package app.saifu.ui

import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import app.saifu.presentation.LockedIntent
import app.saifu.presentation.LockedState
import app.saifu.presentation.NoticesState
import app.saifu.presentation.Text as Words

/** A locked wallet. */
@Composable
fun LockedView(state: LockedState, send: (LockedIntent) -> Unit) {
    Screen(bottom = { Primary(Words("action_unlock"), enabled = !state.busy) { send(LockedIntent.Unlock) } }) {
        Gap(Space.huge)
        Title(Words("screen_locked"))
        Gap(Space.s)
        Body(Words("label_locked_why"))
        state.problem?.let {
            Gap(Space.l)
            Trouble(it)
        }
    }
}

/** What the issuer tells its customer. */
@Composable
fun NoticesView(state: NoticesState, close: () -> Unit) {
    Sheet(Words("screen_notices"), close) {
        state.note?.let { Body(it) }
        for (row in state.rows) {
            Column(Modifier.fillMaxWidth().padding(vertical = Space.m)) {
                Label(row.about)
                Text(row.words, color = Look.colors.ink, style = Look.type.body)
                Label(row.at)
            }
            Hairline()
        }
    }
}
