package app.saifu.desktop

import app.saifu.fixtures.Fixture
import app.saifu.presentation.Language
import org.jetbrains.skia.Bitmap
import org.jetbrains.skia.Image
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.awt.Font
import java.awt.image.BufferedImage
import java.nio.file.Files
import java.nio.file.Path
import javax.imageio.ImageIO
import kotlin.math.abs

/**
 * Every fixture looks as it did when somebody last looked at it: the pictures of `android/pictures`. `SAIFU_UPDATE_PICTURES=1` writes
 * them anew; look at each before it is kept. Of one that differs, both lie in `target/android/desktop/differences`.
 */
class PicturesTest {
    /** `cargo xtask app --shot` names some; otherwise all. */
    private val shot = System.getProperty("saifu.shot", "")
    private val update = System.getenv("SAIFU_UPDATE_PICTURES") != null
    private val repository = Path.of(System.getProperty("saifu.repository"))
    private val seen = repository.resolve("android/pictures")

    @TestFactory
    fun `every fixture looks as it was seen`(): List<DynamicTest> =
        pictures().filter { (fixture, _) -> fixture.name.startsWith(shot) }.map { (fixture, viewing) ->
            DynamicTest.dynamicTest(name(fixture, viewing)) { compare(fixture, viewing) }
        }

    @Test
    fun `no picture is of a fixture that is gone`() {
        if (update) return
        val files = Files.walk(seen).use { it.filter(Files::isRegularFile).toList() }
        val there = files.map { seen.relativize(it).toString() }
        assertEquals(pictures().map { (fixture, viewing) -> name(fixture, viewing) + ".png" }.sorted(), there.sorted())
    }

    /** Control: another screen, and the same one in other colours, are told apart. */
    @Test
    fun `pictures of other screens differ`() {
        val (usual, put) = Fixture.of("number").let { all -> all.first() to all.last() }
        val light = Pixels(Pictures.image(usual, Viewing(density = 1f)))
        assertEquals(0.0, light.unlike(Pixels(Pictures.image(usual, Viewing(density = 1f)))))
        assertTrue(light.unlike(Pixels(Pictures.image(put, Viewing(density = 1f)))) > TOLERATED)
        assertTrue(light.unlike(Pixels(Pictures.image(usual, Viewing(density = 1f, dark = true)))) > TOLERATED)
    }

    /** A letter that the font lacks would be drawn as a box, and nobody would read it. */
    @Test
    fun `the font of the pictures has every letter`() {
        val letters = Files.walk(repository.resolve("screens")).use { files ->
            files.filter { it.toString().endsWith(".json") }.toList().joinToString("") { Files.readString(it) }
        }.filterNot { it.isISOControl() }.toSet()
        for (file in Fonts.FILES.values) {
            val stream = checkNotNull(javaClass.getResourceAsStream(file))
            val font = stream.use { Font.createFont(Font.TRUETYPE_FONT, it) }
            assertEquals(setOf<Char>(), letters.filterNot(font::canDisplay).toSet(), "$file: android/README.md says how it is made")
        }
    }

    private fun compare(fixture: Fixture, viewing: Viewing) {
        val (now, file) = Pictures.image(fixture, viewing) to seen.resolve("${name(fixture, viewing)}.png")
        Pictures.keep(name(fixture, viewing), Pictures.draw(fixture, viewing.copy(density = 2f)))
        if (update) {
            Files.createDirectories(file.parent)
            ImageIO.write(coarse(now), "png", file.toFile())
        }
        assertTrue(Files.exists(file), "$file was never seen: SAIFU_UPDATE_PICTURES=1, then look at it")
        val then = Image.makeFromEncoded(Files.readAllBytes(file))
        val unlike = Pixels(then).unlike(Pixels(now))
        if (unlike > TOLERATED) {
            Pictures.keep("../differences/${name(fixture, viewing)}-then", Pictures.png(then))
            Pictures.keep("../differences/${name(fixture, viewing)}-now", Pictures.png(now))
        }
        assertTrue(unlike <= TOLERATED, "${unlike * 100} % of ${name(fixture, viewing)} looks otherwise: see differences")
    }

    /** In fewer colours than anybody tells apart, for a file of half the size. */
    private fun coarse(image: Image): BufferedImage {
        val (all, few) = Bitmap.makeFromImage(image) to BufferedImage(image.width, image.height, BufferedImage.TYPE_INT_RGB)
        for (y in 0 until image.height) for (x in 0 until image.width) few.setRGB(x, y, all.getColor(x, y) and FEW or HALF)
        return few
    }

    /** A picture's colours, four bytes a pixel. */
    private class Pixels(image: Image) {
        private val size = image.width to image.height
        private val bytes = checkNotNull(Bitmap.makeFromImage(image).readPixels())

        /** The share of pixels that a person would see differ; everything where the sizes do. */
        fun unlike(other: Pixels): Double {
            if (size != other.size) return 1.0
            val differ = bytes.indices.step(4).count { at -> (at until at + 4).any { far(bytes[it], other.bytes[it]) } }
            return differ / (bytes.size / 4.0)
        }

        private fun far(one: Byte, other: Byte): Boolean = abs(one.toUByte().toInt() - other.toUByte().toInt()) > NEAR
    }

    private fun name(fixture: Fixture, viewing: Viewing): String = "${fixture.name}-${viewing.name}"

    private fun pictures(): List<Pair<Fixture, Viewing>> =
        Fixture.all().flatMap { fixture -> viewings(fixture).map { fixture to it.copy(density = 1f) } }

    /** The usual state of a screen in every form, and on a small phone; the others as most people see them. */
    private fun viewings(fixture: Fixture): List<Viewing> {
        val forms = listOf(false, true).flatMap { dark ->
            Language.entries.flatMap { language ->
                listOf(1f, 2f).map { Viewing(dark = dark, language = language, fontScale = it) }
            }
        }
        return if (fixture.name.endsWith("/usual")) forms + Viewing(width = 320, height = 568) else listOf(Viewing())
    }

    private companion object {
        /** Renderers round a little differently from one processor to another. */
        const val NEAR = 8
        const val TOLERATED = 0.0005
        const val FEW = 0xFFFCFCFC.toInt()
        const val HALF = 0x00020202
    }
}
