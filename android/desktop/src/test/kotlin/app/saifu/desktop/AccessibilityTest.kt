package app.saifu.desktop

import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.luminance
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.semantics.SemanticsNode
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.test.ExperimentalTestApi
import androidx.compose.ui.test.onRoot
import androidx.compose.ui.test.runComposeUiTest
import androidx.compose.ui.text.TextLayoutResult
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.dp
import app.saifu.fixtures.Fixture
import app.saifu.fixtures.FixturePlatform
import app.saifu.fixtures.items
import app.saifu.presentation.Language
import app.saifu.presentation.Outline
import app.saifu.presentation.Say
import app.saifu.presentation.Words
import app.saifu.ui.Colors
import app.saifu.ui.SaifuTheme
import app.saifu.ui.Space
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import kotlin.math.max
import kotlin.math.min

/** Every screen as somebody meets it who does not see it, or sees it large: what is spoken, what is touched, what is cut off. */
@OptIn(ExperimentalTestApi::class)
class AccessibilityTest {
    @TestFactory
    fun `a screen reader meets what the outline says, in its order`(): List<DynamicTest> =
        Fixture.all().map { fixture ->
            DynamicTest.dynamicTest(fixture.name) {
                val state = fixture.state()
                val outline = Outline(say).items(state).flatMap { it.spoken.split(", ") }.filter { it.isNotEmpty() }
                assertEquals(outline.joinToString("\n"), spoken { Shown(state) }.joinToString("\n"))
            }
        }

    @TestFactory
    fun `what can be touched is large enough, and no text is cut off at 200 percent`(): List<DynamicTest> =
        Fixture.all().map { fixture ->
            DynamicTest.dynamicTest(fixture.name) {
                assertEquals(listOf<String>(), faults(width = 320, fontScale = 2f) { Shown(fixture.state()) })
            }
        }

    /** Controls: a small target, and a text that does not fit. */
    @Test
    fun `small targets and cut texts are found`() {
        val small = faults(width = 320, fontScale = 1f) { Box(Modifier.size(40.dp).clickable {}) { Text("x") } }
        assertEquals(listOf("x is 40 x 40 dp to touch"), small)
        val cut = faults(width = 320, fontScale = 2f) { Text("a long text on one line", Modifier.width(60.dp), maxLines = 1) }
        assertEquals(listOf("a long text on one line is cut off"), cut)
        assertNotEquals(listOf("x"), spoken { Text("y") })
    }

    @Test
    fun `ink stands out from its paper as AA wants it`() {
        assertEquals(listOf<String>(), faint(Colors.LIGHT) + faint(Colors.DARK))
        // Control: a theme whose second ink is its line.
        assertTrue(faint(Colors.LIGHT.copy(ink2 = Colors.LIGHT.line)).isNotEmpty())
    }

    private val say = Say(Words.of(Language.JAPANESE), FixturePlatform.CLOCK)

    /** Pairs of text and ground whose contrast is under 4.5 (WCAG 2.2, 1.4.3). */
    private fun faint(colors: Colors): List<String> =
        with(colors) {
            listOf(
                Triple("ink on paper", ink, paper),
                Triple("ink on card", ink, card),
                Triple("ink on line", ink, line),
                Triple("ink 2 on paper", ink2, paper),
                Triple("ink 2 on card", ink2, card),
                Triple("ink 2 on line", ink2, line),
                Triple("accent on paper", accent, paper),
                Triple("accent on card", accent, card),
                Triple("on accent", onAccent, accent),
                Triple("good on paper", good, paper),
                Triple("danger on paper", danger, paper),
                Triple("warn on its paper", warn, warnPaper),
                Triple("modules on the code card", modules, code),
            ).filter { (_, text, ground) -> contrast(text, ground) < AA }.map { it.first }
        }

    private fun contrast(one: Color, other: Color): Float {
        val (light, dark) = max(one.luminance(), other.luminance()) to min(one.luminance(), other.luminance())
        return (light + 0.05f) / (dark + 0.05f)
    }

    private fun spoken(content: @Composable () -> Unit): List<String> = nodes(360, 1f, content) { it.flatMap(::spokenBy) }

    private fun spokenBy(node: SemanticsNode): List<String> {
        val config = node.config
        val texts = config.getOrNull(SemanticsProperties.Text).orEmpty().map { it.text }
        return (texts + config.getOrNull(SemanticsProperties.ContentDescription).orEmpty()).flatMap { it.split(", ") }
    }

    private fun faults(width: Int, fontScale: Float, content: @Composable () -> Unit): List<String> =
        nodes(width, fontScale, content) { nodes -> nodes.flatMap(::faultsOf) }

    private fun faultsOf(node: SemanticsNode): List<String> {
        val (name, density) = spokenBy(node).joinToString(" ") to node.layoutInfo.density.density
        val (wide, high) = node.size.width / density to node.size.height / density
        val isTouched = node.config.contains(SemanticsActions.OnClick)
        val small = isTouched && (wide < Space.target.value || high < Space.target.value)
        val layouts = mutableListOf<TextLayoutResult>()
        node.config.getOrNull(SemanticsActions.GetTextLayoutResult)?.action?.invoke(layouts)
        return listOfNotNull(
            "$name is ${wide.toInt()} x ${high.toInt()} dp to touch".takeIf { small },
            "$name is cut off".takeIf { layouts.any(::isCut) },
        )
    }

    /** More than a pixel of it lies outside: less is how text is rounded. */
    private fun isCut(text: TextLayoutResult): Boolean {
        val isWider = (0 until text.lineCount).any { text.getLineRight(it) - text.getLineLeft(it) > text.size.width + 1 }
        return isWider || text.multiParagraph.didExceedMaxLines || text.multiParagraph.height > text.size.height + 1
    }

    /** The nodes that a screen reader stops at, in its order. */
    private fun <R> nodes(width: Int, fontScale: Float, content: @Composable () -> Unit, look: (List<SemanticsNode>) -> R): R {
        var seen: R? = null
        runComposeUiTest {
            setContent {
                CompositionLocalProvider(LocalDensity provides Density(1f, fontScale)) {
                    SaifuTheme(say, dark = false, family = Fonts.FAMILY) { Box(Modifier.width(width.dp)) { content() } }
                }
            }
            seen = look(below(onRoot().fetchSemanticsNode()))
        }
        return checkNotNull(seen)
    }

    private fun below(node: SemanticsNode): List<SemanticsNode> = listOf(node) + node.children.flatMap(::below)

    private companion object {
        const val AA = 4.5f
    }
}
