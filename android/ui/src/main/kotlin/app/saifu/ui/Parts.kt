package app.saifu.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.border
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.text.BasicText
import androidx.compose.foundation.text.BasicTextField
import androidx.compose.foundation.text.KeyboardActions
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.foundation.text.TextAutoSize
import androidx.compose.foundation.verticalScroll
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
import androidx.compose.ui.text.SpanStyle
import androidx.compose.ui.text.buildAnnotatedString
import androidx.compose.ui.text.input.ImeAction
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.text.withStyle
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.em
import androidx.compose.ui.unit.sp
import app.saifu.presentation.Problem
import app.saifu.presentation.Text as Words

/** The widest a column of text and buttons gets, on tablets and in wide windows. */
private val COLUMN = 480.dp

/** A screen: what is read scrolls, what is done stays at the thumb for as long as both fit. */
@Composable
fun Screen(bottom: @Composable ColumnScope.() -> Unit, content: @Composable ColumnScope.() -> Unit) {
    Box(Modifier.fillMaxSize().background(Look.colors.paper), contentAlignment = Alignment.TopCenter) {
        Column(Modifier.widthIn(max = COLUMN).fillMaxSize().padding(horizontal = Space.xl)) {
            Column(
                Modifier.weight(1f).fillMaxWidth().verticalScroll(rememberScrollState()),
                content = content,
            )
            Column(
                Modifier.fillMaxWidth().padding(top = Space.m, bottom = Space.l),
                verticalArrangement = Arrangement.spacedBy(Space.m),
                content = bottom,
            )
        }
    }
}

/** A screen that was opened upon another one: the way back, what it is, and what it is about. */
@Composable
fun Sheet(
    title: Words,
    close: () -> Unit,
    bottom: @Composable ColumnScope.() -> Unit = {},
    content: @Composable ColumnScope.() -> Unit,
) {
    Screen(bottom) {
        Gap(Space.s)
        Link(Words("action_close"), onClick = close)
        Gap(Space.s)
        Title(title)
        Gap(Space.xl)
        content()
    }
}

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

/**
 * Money, large: the sign at half the size of the figures, on one line, smaller where the line is short. Read as money, not as
 * figures.
 */
@Composable
fun Amount(yen: Long, modifier: Modifier = Modifier) {
    val (say, colors, type) = Triple(Look.say, Look.colors, Look.type)
    val text = buildAnnotatedString {
        withStyle(SpanStyle(colors.ink2, 0.5.em)) { append("¥ ") }
        append(say.grouped(yen))
    }
    BasicText(
        text,
        modifier.clearAndSetSemantics { contentDescription = say.money(yen) },
        type.amount.copy(color = colors.ink),
        maxLines = 1,
        autoSize = TextAutoSize.StepBased(minFontSize = type.body.fontSize, maxFontSize = type.amount.fontSize),
    )
}

/** Money that moved, large: with its sign, and green where it came in. */
@Composable
fun Moved(yen: Long) {
    val (say, colors) = Look.say to Look.colors
    BasicText(
        say.signed(yen),
        Modifier.clearAndSetSemantics { contentDescription = say.moved(yen) },
        Look.type.amount.copy(color = if (yen > 0) colors.good else colors.ink),
        maxLines = 1,
        autoSize = TextAutoSize.StepBased(minFontSize = Look.type.body.fontSize, maxFontSize = Look.type.amount.fontSize),
    )
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

@Composable
fun Hairline(color: Color = Look.colors.line) {
    Box(Modifier.fillMaxWidth().height(1.dp).background(color))
}

@Composable
fun Gap(height: Dp) {
    Spacer(Modifier.height(height))
}
