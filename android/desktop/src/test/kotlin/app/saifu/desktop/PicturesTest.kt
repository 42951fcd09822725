package app.saifu.desktop

import app.saifu.fixtures.Fixture
import app.saifu.presentation.Language
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.awt.Font
import java.nio.file.Files
import java.nio.file.Path

/** Every fixture can be drawn, in its usual form; the first of each screen in every form. */
class PicturesTest {
    /** `cargo xtask app --shot` names some; otherwise all. */
    private val shot = System.getProperty("saifu.shot", "")

    @TestFactory
    fun `every fixture is drawn`(): List<DynamicTest> =
        Fixture.all().filter { it.name.startsWith(shot) }.flatMap { fixture -> viewings(fixture).map { draws(fixture, it) } }

    private fun draws(fixture: Fixture, viewing: Viewing): DynamicTest =
        DynamicTest.dynamicTest("${fixture.name} ${viewing.name}") {
            Pictures.keep("${fixture.name}-${viewing.name}", Pictures.draw(fixture, viewing))
        }

    private fun viewings(fixture: Fixture): List<Viewing> =
        if (fixture.name.endsWith("/usual")) {
            listOf(false, true).flatMap { dark ->
                Language.entries.flatMap { language ->
                    listOf(1f, 2f).map { Viewing(dark = dark, language = language, fontScale = it) }
                }
            } + Viewing(width = 320, height = 568)
        } else {
            listOf(Viewing())
        }

    /** A letter that the font lacks would be drawn as a box, and nobody would read it. */
    @Test
    fun `the font of the pictures has every letter`() {
        val screens = Path.of(System.getProperty("saifu.repository"), "screens")
        val letters = Files.walk(screens).use { files ->
            files.filter { it.toString().endsWith(".json") }.toList().joinToString("") { Files.readString(it) }
        }.filterNot { it.isISOControl() }.toSet()
        for (file in Fonts.FILES.values) {
            val stream = checkNotNull(javaClass.getResourceAsStream(file))
            val font = stream.use { Font.createFont(Font.TRUETYPE_FONT, it) }
            assertEquals(setOf<Char>(), letters.filterNot(font::canDisplay).toSet(), "$file: android/README.md says how it is made")
        }
    }
}
