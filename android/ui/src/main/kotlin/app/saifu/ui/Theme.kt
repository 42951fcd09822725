package app.saifu.ui

import androidx.compose.foundation.isSystemInDarkTheme
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.darkColorScheme
import androidx.compose.material3.lightColorScheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.Immutable
import androidx.compose.runtime.staticCompositionLocalOf
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp
import app.saifu.presentation.Say

/** Paper and ink: the colours there are. Contrast is tested from here. */
@Immutable
data class Colors(
    val paper: Color,
    val card: Color,
    val ink: Color,
    val ink2: Color,
    val line: Color,
    val accent: Color,
    val onAccent: Color,
    val good: Color,
    val onGood: Color,
    val warn: Color,
    val warnPaper: Color,
    val danger: Color,
    /** The code card: white in the dark too, so that every reader sees the modules. */
    val code: Color = Color.White,
    val modules: Color = Color.Black,
) {
    companion object {
        val LIGHT = Colors(
            paper = Color(0xFFFAF8F4),
            card = Color(0xFFFFFFFF),
            ink = Color(0xFF1B1A18),
            ink2 = Color(0xFF5C5952),
            line = Color(0xFFE6E1D8),
            accent = Color(0xFF23408F),
            onAccent = Color(0xFFFFFFFF),
            good = Color(0xFF1E6B45),
            onGood = Color(0xFFFFFFFF),
            warn = Color(0xFF6B4A00),
            warnPaper = Color(0xFFFFF3DA),
            danger = Color(0xFFA3261C),
        )
        val DARK = Colors(
            paper = Color(0xFF141312),
            card = Color(0xFF1F1E1B),
            ink = Color(0xFFF2EFE9),
            ink2 = Color(0xFFB4AEA3),
            line = Color(0xFF34312C),
            accent = Color(0xFFAEBEFF),
            onAccent = Color(0xFF10204F),
            good = Color(0xFF7FD6A5),
            onGood = Color(0xFF0B2A1A),
            warn = Color(0xFFF2C063),
            warnPaper = Color(0xFF33290F),
            danger = Color(0xFFFFB4AB),
        )
    }
}

/** Steps of four. */
object Space {
    val xs = 4.dp
    val s = 8.dp
    val m = 12.dp
    val l = 16.dp
    val xl = 24.dp
    val xxl = 32.dp
    val huge = 48.dp

    /** The least size of whatever can be touched. */
    val target = 48.dp
    val button = 14.dp
    val card = 20.dp
}

/** The sizes of type. Figures stand in columns wherever they stand. */
@Immutable
class Type(family: FontFamily) {
    val amount = style(family, 52, 60, FontWeight.SemiBold)
    val digits = style(family, 28, 36, FontWeight.SemiBold)
    val figure = style(family, 22, 28, FontWeight.SemiBold)
    val title = style(family, 22, 28, FontWeight.SemiBold)
    val body = style(family, 16, 24, FontWeight.Normal)
    val strong = style(family, 16, 24, FontWeight.SemiBold)
    val label = style(family, 13, 18, FontWeight.Normal)

    private fun style(family: FontFamily, size: Int, line: Int, weight: FontWeight): TextStyle =
        TextStyle(fontFamily = family, fontSize = size.sp, lineHeight = line.sp, fontWeight = weight, fontFeatureSettings = "tnum")
}

private val LocalColors = staticCompositionLocalOf { Colors.LIGHT }
private val LocalType = staticCompositionLocalOf { Type(FontFamily.Default) }
private val LocalSay = staticCompositionLocalOf<Say> { error("no language is set") }

/** What every part of a screen draws from. */
object Look {
    val colors: Colors @Composable get() = LocalColors.current
    val type: Type @Composable get() = LocalType.current
    val say: Say @Composable get() = LocalSay.current

    /** Whether the text is so large that two things do not stand side by side, and only the first one stays at the thumb. */
    val isLarge: Boolean @Composable get() = LocalDensity.current.fontScale > LARGE

    private const val LARGE = 1.3f
}

@Composable
fun SaifuTheme(
    say: Say,
    dark: Boolean = isSystemInDarkTheme(),
    colors: Colors = if (dark) Colors.DARK else Colors.LIGHT,
    family: FontFamily = FontFamily.Default,
    content: @Composable () -> Unit,
) {
    val scheme = if (dark) {
        darkColorScheme(primary = colors.accent, onPrimary = colors.onAccent, surface = colors.paper, onSurface = colors.ink)
    } else {
        lightColorScheme(primary = colors.accent, onPrimary = colors.onAccent, surface = colors.paper, onSurface = colors.ink)
    }
    CompositionLocalProvider(LocalColors provides colors, LocalType provides Type(family), LocalSay provides say) {
        MaterialTheme(colorScheme = scheme.copy(background = colors.paper, error = colors.danger), content = content)
    }
}
