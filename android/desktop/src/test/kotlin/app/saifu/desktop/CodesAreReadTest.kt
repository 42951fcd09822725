package app.saifu.desktop

import app.saifu.fixtures.Fixture
import app.saifu.ui.Colors
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.nio.file.Path
import java.util.concurrent.TimeUnit

/**
 * The drawn code screen is read by two decoders that are not ours, zbar and the one behind `saifu tool scan`, as a register would
 * read a phone: at every width, light and dark, with large text.
 */
class CodesAreReadTest {
    private val code = Fixture.of("pay").single { it.name == "pay/usual" }
    private val digits = "999999991529401851783231"

    @TestFactory
    fun `both symbols are read from the screen`(): List<DynamicTest> =
        listOf(320, 360, 411, 480, 600).flatMap { width ->
            listOf(false, true).flatMap { dark -> listOf(1f, 2f).map { Viewing(width, 900, dark, fontScale = it) } }
        }.map { viewing ->
            DynamicTest.dynamicTest(viewing.name) {
                val png = Pictures.keep("read/${viewing.name}", Pictures.draw(code, viewing))
                assertEquals(listOf(digits, digits), zbar(png), "zbar")
                assertEquals(listOf(digits, digits), saifu(png), "saifu tool scan")
            }
        }

    /** Control: a code card in the dark theme's own colours is read by neither as it must be. */
    @Test
    fun `a code on a dark card is not read`() {
        val tampered = Colors.DARK.run { copy(code = card, modules = line) }
        val viewing = Viewing(360, 900, dark = true, colors = tampered)
        assertNotEquals(listOf(digits, digits), zbar(Pictures.keep("read/tampered", Pictures.draw(code, viewing))))
    }

    private fun zbar(png: Path): List<String> = run("zbarimg", "--nodbus", "-q", "--raw", "$png").lines().filter { it.isNotBlank() }

    private fun saifu(png: Path): List<String> =
        Regex(""""text":\s*"(\d+)"""").findAll(run(System.getProperty("saifu.command"), "--json", "tool", "scan", "$png"))
            .map { it.groupValues[1] }.toList()

    private fun run(vararg command: String): String {
        val process = ProcessBuilder(*command).redirectError(ProcessBuilder.Redirect.DISCARD).start()
        val said = process.inputStream.bufferedReader().readText()
        check(process.waitFor(1, TimeUnit.MINUTES)) { "${command.first()} does not end" }
        return said
    }
}
