package app.saifu.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.disabled
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import app.saifu.presentation.Choice
import app.saifu.presentation.HomeIntent
import app.saifu.presentation.HomeState
import app.saifu.presentation.Place
import app.saifu.presentation.Row as Line
import app.saifu.presentation.Text as Words

/** The balance, what happened last, and at the thumb what can be done. */
@Composable
fun HomeView(state: HomeState, open: (Place) -> Unit, send: (HomeIntent) -> Unit) {
    Screen(
        bottom = {
            Pay(state.pay) { open(Place.PAY) }
            if (!Look.isLarge) Others(state, open)
        },
    ) {
        Gap(Space.s)
        Row(Modifier.fillMaxWidth(), Arrangement.SpaceBetween, Alignment.CenterVertically) {
            Title(Words("app_name"))
            Link(Words("action_notices")) { open(Place.NOTICES) }
        }
        state.notice?.let {
            Gap(Space.l)
            Notice(it)
        }
        Gap(Space.xxl)
        Label(Words("label_balance"))
        state.balance?.let { Amount(it) }
        FlowRow(
            Modifier.clickable { send(HomeIntent.Refresh) }.heightIn(min = Space.target),
            Arrangement.spacedBy(Space.s),
            Arrangement.Center,
        ) {
            Label(state.updated)
            state.points?.let { Label(it) }
        }
        Gap(Space.l)
        if (Look.isLarge) {
            Others(state, open)
            Gap(Space.l)
        }
        Hairline()
        Recent(state) { open(Place.HISTORY) }
    }
}

@Composable
private fun Recent(state: HomeState, seeAll: () -> Unit) {
    Row(Modifier.fillMaxWidth(), Arrangement.SpaceBetween, Alignment.CenterVertically) {
        Label(Words("label_recent"))
        Link(Words("action_see_all"), onClick = seeAll)
    }
    state.recentNote?.let {
        Label(it)
        Gap(Space.m)
    }
    for (line in state.recent) {
        HistoryRow(line)
        Hairline()
    }
}

/** A line of the history: what, when, how much. Money in is green and has a plus; the sign says it too. */
@Composable
fun HistoryRow(row: Line) {
    val (say, colors) = Look.say to Look.colors
    Row(
        Modifier.fillMaxWidth().heightIn(min = Space.target).padding(vertical = Space.s).semantics(mergeDescendants = true) {},
        Arrangement.spacedBy(Space.m),
        Alignment.CenterVertically,
    ) {
        Column(Modifier.weight(1f)) {
            Text(say.text(row.title), color = colors.ink, style = Look.type.body)
            Label(row.at)
        }
        Text(
            say.signed(row.yen),
            Modifier.clearAndSetSemantics { contentDescription = say.moved(row.yen) },
            if (row.yen > 0) colors.good else colors.ink,
            style = Look.type.body,
        )
    }
}

@Composable
private fun Pay(choice: Choice, onClick: () -> Unit) {
    val (colors, enabled) = Look.colors to (choice.stopped == null)
    val onCard = if (enabled) colors.onAccent else colors.ink2
    Row(
        Modifier
            .clip(RoundedCornerShape(Space.card))
            .background(if (enabled) colors.accent else colors.line)
            .fillMaxWidth()
            .clickable(enabled, role = Role.Button, onClick = onClick)
            .semantics(mergeDescendants = true) { if (!enabled) disabled() }
            .padding(Space.xl, Space.l),
        Arrangement.SpaceBetween,
        Alignment.CenterVertically,
    ) {
        Column(Modifier.weight(1f, fill = false)) {
            Text(Look.say.text(choice.label), color = onCard, style = Look.type.title)
            (choice.stopped ?: choice.hint)?.let { Label(it, color = if (enabled) onCard else colors.ink) }
        }
        if (enabled) Bars(onCard, 36.dp)
    }
}

@Composable
private fun Others(state: HomeState, open: (Place) -> Unit) {
    FlowRow(
        Modifier.fillMaxWidth(),
        Arrangement.spacedBy(Space.m),
        Arrangement.spacedBy(Space.m),
        maxItemsInEachRow = if (Look.isLarge) 1 else 2,
    ) {
        for ((choice, place) in listOf(state.topUp to Place.TOP_UP, state.totp to Place.TOTP)) {
            Column(Modifier.weight(1f)) {
                Quiet(choice.label, enabled = choice.stopped == null) { open(place) }
                choice.stopped?.let { Label(it, Modifier.padding(top = Space.xs), Look.colors.ink) }
            }
        }
    }
}
