package app.saifu.desktop

import androidx.compose.ui.text.font.Font
import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.platform.Font

/** The letters that the screens need, so that they look the same on every machine; a phone has its own. */
object Fonts {
    /** The files, as resources, by weight. */
    val FILES: Map<FontWeight, String> = mapOf(
        FontWeight.Normal to "/fonts/SaifuPictures-Regular.otf",
        FontWeight.SemiBold to "/fonts/SaifuPictures-Bold.otf",
    )

    val FAMILY: FontFamily = FontFamily(FILES.map { (weight, file) -> font(file, weight) })

    private fun font(file: String, weight: FontWeight): Font =
        Font(file, checkNotNull(Fonts::class.java.getResourceAsStream(file)).use { it.readBytes() }, weight)
}
