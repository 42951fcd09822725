package app.saifu.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.text.BasicTextField
import androidx.compose.foundation.text.KeyboardActions
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.SolidColor
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.disabled
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.input.ImeAction
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp
import app.saifu.presentation.Problem
import app.saifu.presentation.Text as Words

@Composable
fun Title(text: Words, modifier: Modifier = Modifier) {
    Text(Look.say.text(text), modifier.semantics { heading() }, Look.colors.ink, style = Look.type.title)
}

@Composable
fun Body(text: Words, modifier: Modifier = Modifier, align: TextAlign? = null) {
    Text(Look.say.text(text), modifier, Look.colors.ink, textAlign = align, style = Look.type.body)
}

@Composable
fun Label(text: Words, modifier: Modifier = Modifier, color: Color = Look.colors.ink2, align: TextAlign? = null) {
    Text(Look.say.text(text), modifier, color, textAlign = align, style = Look.type.label)
}

/** The one filled surface of a screen. */
@Composable
fun Primary(text: Words, enabled: Boolean = true, onClick: () -> Unit) {
    val colors = Look.colors
    Pressable(enabled, onClick, Modifier.background(if (enabled) colors.accent else colors.line)) {
        Text(
            Look.say.text(text),
            color = if (enabled) colors.onAccent else colors.ink2,
            textAlign = TextAlign.Center,
            style = Look.type.strong,
        )
    }
}

/** Everything else that can be done: a surface with a hairline. */
@Composable
fun Quiet(text: Words, modifier: Modifier = Modifier, enabled: Boolean = true, onClick: () -> Unit) {
    val (colors, shape) = Look.colors to RoundedCornerShape(Space.button)
    Pressable(enabled, onClick, modifier.background(colors.card, shape).border(1.dp, colors.line, shape)) {
        Text(
            Look.say.text(text),
            color = if (enabled) colors.ink else colors.ink2,
            textAlign = TextAlign.Center,
            style = Look.type.body,
        )
    }
}

@Composable
private fun Pressable(enabled: Boolean, onClick: () -> Unit, modifier: Modifier, content: @Composable () -> Unit) {
    Box(
        Modifier
            .clip(RoundedCornerShape(Space.button))
            .then(modifier)
            .fillMaxWidth()
            .heightIn(min = Space.target)
            .clickable(enabled, role = Role.Button, onClick = onClick)
            .semantics { if (!enabled) disabled() }
            .padding(PaddingValues(horizontal = Space.l, vertical = Space.m)),
        contentAlignment = Alignment.Center,
    ) { content() }
}

/** A word that does something, in the corner of a screen or under a list. */
@Composable
fun Link(text: Words, modifier: Modifier = Modifier, enabled: Boolean = true, onClick: () -> Unit) {
    Box(
        modifier
            .heightIn(min = Space.target)
            .widthIn(min = Space.target)
            .clickable(enabled, role = Role.Button, onClick = onClick)
            .semantics { if (!enabled) disabled() },
        contentAlignment = Alignment.CenterStart,
    ) {
        Text(
            Look.say.text(text),
            color = if (enabled) Look.colors.accent else Look.colors.ink2,
            style = Look.type.body,
        )
    }
}

/** Something to know before anything else. Never by colour alone: it is a sentence. */
@Composable
fun Notice(text: Words, modifier: Modifier = Modifier) {
    val shape = RoundedCornerShape(Space.button)
    Box(modifier.fillMaxWidth().background(Look.colors.warnPaper, shape).padding(Space.l, Space.m)) {
        Text(Look.say.text(text), color = Look.colors.warn, style = Look.type.body)
    }
}

/** A few words that lie upon a screen. */
@Composable
fun Chip(text: Words, modifier: Modifier = Modifier) {
    Box(modifier.background(Look.colors.warnPaper, CircleShape).padding(Space.l, Space.s)) {
        Text(Look.say.text(text), color = Look.colors.warn, textAlign = TextAlign.Center, style = Look.type.label)
    }
}

/** What did not work, what to do, and the code that support asks for. */
@Composable
fun Trouble(problem: Problem, modifier: Modifier = Modifier) {
    Column(modifier, verticalArrangement = Arrangement.spacedBy(Space.xs)) {
        Text(Look.say.text(problem.text), color = Look.colors.danger, style = Look.type.body)
        problem.retryIn?.let { Label(it) }
        Label(problem.details)
    }
}

/** Where something is typed. */
@Composable
fun Field(label: Words, value: String, keyboard: KeyboardType, onDone: () -> Unit, onChange: (String) -> Unit) {
    val (colors, spoken) = Look.colors to Look.say.text(label)
    Column(Modifier.fillMaxWidth()) {
        Label(label, Modifier.clearAndSetSemantics {})
        BasicTextField(
            value = value,
            onValueChange = onChange,
            modifier = Modifier.fillMaxWidth().heightIn(min = Space.target).semantics { contentDescription = spoken },
            textStyle = Look.type.figure.copy(color = colors.ink, letterSpacing = 1.sp),
            singleLine = true,
            keyboardOptions = KeyboardOptions(keyboardType = keyboard, imeAction = ImeAction.Done),
            keyboardActions = KeyboardActions(onDone = { onDone() }),
            cursorBrush = SolidColor(colors.accent),
            decorationBox = { Box(Modifier.padding(vertical = Space.s), Alignment.CenterStart) { it() } },
        )
        Hairline(colors.ink2)
    }
}
