package app.saifu.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import app.saifu.presentation.Code
import app.saifu.presentation.PayIntent
import app.saifu.presentation.PayState
import app.saifu.presentation.Text as Words

/** The code at the till, and what became of it. */
@Composable
fun PayView(state: PayState, close: () -> Unit, send: (PayIntent) -> Unit) {
    when (state) {
        PayState.Loading -> CodeFrame(null, null, close) { Waiting() }
        is PayState.Showing -> CodeFrame(state.balance, state.age, close) { Showing(state) }
        is PayState.Paid -> Paid(state, close)
        is PayState.Declined -> Declined(state, close)
        is PayState.Failed -> CodeFrame(null, null, close) {
            Gap(Space.huge)
            Trouble(state.problem)
            Gap(Space.xl)
            Quiet(Words("action_retry")) { send(PayIntent.Retry) }
        }
    }
}

@Composable
private fun CodeFrame(balance: Words?, age: Words?, close: () -> Unit, content: @Composable ColumnScope.() -> Unit) {
    Screen(bottom = {}) {
        Row(Modifier.fillMaxWidth().padding(top = Space.s), Arrangement.SpaceBetween, Alignment.CenterVertically) {
            Link(Words("action_close"), onClick = close)
            FlowRow(horizontalArrangement = Arrangement.spacedBy(Space.xs, Alignment.End)) {
                balance?.let { Body(it) }
                age?.let { Label(it) }
            }
        }
        content()
    }
}

@Composable
private fun ColumnScope.Waiting() {
    Gap(Space.huge)
    Label(Words("label_loading_code"), Modifier.align(Alignment.CenterHorizontally))
}

@Composable
private fun ColumnScope.Showing(state: PayState.Showing) {
    Gap(Space.xl)
    state.note?.let {
        Chip(it, Modifier.align(Alignment.CenterHorizontally))
        Gap(Space.m)
    }
    CodeCard(state.code)
    Gap(Space.l)
    Label(state.refreshIn, Modifier.align(Alignment.CenterHorizontally))
    Gap(Space.s)
    Body(Words("label_show_code"), Modifier.fillMaxWidth(), TextAlign.Center)
    Gap(Space.l)
}

/** Bar code, digits and QR, in whole device pixels with their quiet zones. */
@Composable
private fun CodeCard(code: Code) {
    val (say, colors) = Look.say to Look.colors
    Column(
        Modifier.fillMaxWidth().background(colors.code, RoundedCornerShape(Space.card)).padding(vertical = Space.xl),
        Arrangement.spacedBy(Space.m),
        Alignment.CenterHorizontally,
    ) {
        SymbolView(code.barcode, say.text(Words("a11y_barcode")), widest = 320.dp, height = 96.dp)
        Text(
            code.digits.joinToString(" "),
            Modifier.padding(horizontal = Space.s).clearAndSetSemantics { contentDescription = say.spelt(code.digits) },
            colors.modules,
            textAlign = TextAlign.Center,
            style = Look.type.label,
        )
        SymbolView(code.qr, say.text(Words("a11y_qr")), widest = 168.dp, height = null)
    }
}

@Composable
private fun Paid(state: PayState.Paid, close: () -> Unit) {
    Over(Words("label_paid"), good = true, close) {
        Amount(-state.yen)
        state.at?.let { Body(it, align = TextAlign.Center) }
        Gap(Space.s)
        Label(state.balance)
        state.points?.let { Label(it) }
    }
}

@Composable
private fun Declined(state: PayState.Declined, close: () -> Unit) {
    Over(Words("label_declined"), good = false, close) {
        Body(state.reason, align = TextAlign.Center)
        Gap(Space.l)
        Amount(state.yen)
        Body(state.at, align = TextAlign.Center)
    }
}

/** The end of something that moved money. It is spoken as it comes. */
@Composable
fun Over(title: Words, good: Boolean, close: () -> Unit, content: @Composable ColumnScope.() -> Unit) {
    Screen(bottom = { Primary(Words("action_close"), onClick = close) }) {
        Column(
            Modifier.fillMaxWidth().padding(top = 96.dp).semantics { liveRegion = LiveRegionMode.Assertive },
            horizontalAlignment = Alignment.CenterHorizontally,
        ) {
            Seal(good)
            Gap(Space.l)
            Title(title)
            Gap(Space.l)
            content()
        }
    }
}
