package app.saifu.ui

import androidx.compose.foundation.text.BasicText
import androidx.compose.foundation.text.TextAutoSize
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.text.SpanStyle
import androidx.compose.ui.text.buildAnnotatedString
import androidx.compose.ui.text.withStyle
import androidx.compose.ui.unit.em

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
