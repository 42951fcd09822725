package app.saifu.ui

import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.selection.selectable
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import app.saifu.presentation.TopUpIntent
import app.saifu.presentation.TopUpState
import app.saifu.presentation.Totp
import app.saifu.presentation.TotpState
import app.saifu.presentation.Text as Words

/** Cash at an ATM. */
@Composable
fun TopUpView(state: TopUpState, close: () -> Unit, send: (TopUpIntent) -> Unit) {
    when (state) {
        is TopUpState.Choosing -> Choosing(state, close, send)
        is TopUpState.Waiting -> Sheet(Words("screen_top_up"), close) {
            Amount(state.yen)
            Gap(Space.xl)
            Figures(Words("label_atm_number"), state.number)
            Label(state.until)
            state.totp?.let {
                Gap(Space.xl)
                TotpFigures(it)
            }
        }
        is TopUpState.Asking -> Sheet(Words("screen_top_up"), close) {
            Amount(state.yen)
            Gap(Space.m)
            Body(Words("label_top_up_asking"))
        }
        is TopUpState.Done -> Over(Words("label_topped_up"), good = true, close) {
            Amount(state.yen)
            Gap(Space.s)
            Label(state.balance)
        }
    }
}

@Composable
private fun Choosing(state: TopUpState.Choosing, close: () -> Unit, send: (TopUpIntent) -> Unit) {
    Sheet(
        Words("screen_top_up"),
        close,
        bottom = {
            if (!Look.isLarge) Label(Words("label_top_up_how"))
            Primary(Words("action_approve"), enabled = !state.busy) { send(TopUpIntent.Approve) }
        },
    ) {
        Amount(state.chosen)
        state.left?.let { Label(it) }
        Gap(Space.xl)
        FlowRow(horizontalArrangement = Arrangement.spacedBy(Space.s), verticalArrangement = Arrangement.spacedBy(Space.s)) {
            for (yen in state.amounts) Choice(yen, chosen = yen == state.chosen) { send(TopUpIntent.Choose(yen)) }
        }
        state.problem?.let {
            Gap(Space.l)
            Trouble(it)
        }
        if (Look.isLarge) {
            Gap(Space.l)
            Label(Words("label_top_up_how"))
        }
    }
}

/** One amount of several. The chosen one has a heavier line and heavier figures, not a colour alone. */
@Composable
private fun Choice(yen: Long, chosen: Boolean, onClick: () -> Unit) {
    val (say, colors) = Look.say to Look.colors
    val line = if (chosen) BorderStroke(2.dp, colors.accent) else BorderStroke(1.dp, colors.line)
    Box(
        Modifier
            .clip(CircleShape)
            .background(colors.card)
            .border(line, CircleShape)
            .heightIn(min = Space.target)
            .selectable(chosen, role = Role.RadioButton, onClick = onClick)
            .semantics { contentDescription = say.money(yen) }
            .padding(horizontal = Space.l),
        Alignment.Center,
    ) {
        val style = if (chosen) Look.type.strong else Look.type.body
        Text(say.yen(yen), Modifier.clearAndSetSemantics {}, if (chosen) colors.accent else colors.ink, style = style)
    }
}

/** The code that proves this phone. */
@Composable
fun TotpView(state: TotpState, close: () -> Unit) {
    Sheet(Words("screen_totp"), close) {
        when (state) {
            is TotpState.Showing -> TotpFigures(state.totp)
            is TotpState.Failed -> Trouble(state.problem)
        }
    }
}

@Composable
private fun ColumnScope.TotpFigures(totp: Totp) {
    totp.note?.let {
        Notice(it)
        Gap(Space.m)
    }
    Figures(Words("label_totp"), totp.digits)
    Label(totp.holdsFor)
}

/** Digits to type somewhere else: large, in groups, read one by one. */
@Composable
private fun Figures(label: Words, groups: List<String>) {
    val (say, colors) = Look.say to Look.colors
    Column(
        Modifier.fillMaxWidth().background(colors.card, RoundedCornerShape(Space.card)).padding(Space.l),
        Arrangement.spacedBy(Space.xs),
    ) {
        Label(label)
        Text(
            groups.joinToString(" "),
            Modifier.clearAndSetSemantics { contentDescription = say.spelt(groups) },
            colors.ink,
            textAlign = TextAlign.Start,
            style = Look.type.digits,
        )
    }
    Gap(Space.s)
}
