package app.saifu.desktop

import androidx.compose.runtime.Composable
import androidx.compose.ui.ImageComposeScene
import androidx.compose.ui.unit.Density
import app.saifu.fixtures.Fixture
import app.saifu.fixtures.FixturePlatform
import app.saifu.presentation.HistoryState
import app.saifu.presentation.HomeState
import app.saifu.presentation.Language
import app.saifu.presentation.LockedState
import app.saifu.presentation.NoticesState
import app.saifu.presentation.NumberState
import app.saifu.presentation.PayState
import app.saifu.presentation.Say
import app.saifu.presentation.SmsState
import app.saifu.presentation.TopUpState
import app.saifu.presentation.TotpState
import app.saifu.presentation.Words
import app.saifu.ui.Colors
import app.saifu.ui.HistoryView
import app.saifu.ui.HomeView
import app.saifu.ui.LockedView
import app.saifu.ui.NoticesView
import app.saifu.ui.NumberView
import app.saifu.ui.PayView
import app.saifu.ui.SaifuTheme
import app.saifu.ui.SmsView
import app.saifu.ui.TopUpView
import app.saifu.ui.TotpView
import org.jetbrains.skia.EncodedImageFormat
import org.jetbrains.skia.Image
import java.nio.file.Files
import java.nio.file.Path
import kotlin.time.Duration.Companion.seconds

/** How a screen is looked at. */
data class Viewing(
    val width: Int = 360,
    val height: Int = 740,
    val dark: Boolean = false,
    val language: Language = Language.JAPANESE,
    val fontScale: Float = 1f,
    val density: Float = 2f,
    val colors: Colors = if (dark) Colors.DARK else Colors.LIGHT,
) {
    val name: String
        get() = "${width}x$height-${if (dark) "dark" else "light"}-${language.tag}-${(fontScale * 100).toInt()}"
}

/** Draws screens off-screen, by one renderer and one font. */
object Pictures {
    private val folder: Path = Path.of(System.getProperty("saifu.pictures"))

    /** The picture of a fixture, as PNG. */
    fun draw(fixture: Fixture, viewing: Viewing): ByteArray = png(image(fixture, viewing))

    fun image(fixture: Fixture, viewing: Viewing): Image = image(viewing) { Shown(fixture.state()) }

    fun png(image: Image): ByteArray = checkNotNull(image.encodeToData(EncodedImageFormat.PNG)).bytes

    private fun image(viewing: Viewing, content: @Composable () -> Unit): Image {
        val density = Density(viewing.density, viewing.fontScale)
        val (width, height) = (viewing.width * viewing.density).toInt() to (viewing.height * viewing.density).toInt()
        val say = Say(Words.of(viewing.language), FixturePlatform.CLOCK)
        val scene = ImageComposeScene(width, height, density)
        try {
            scene.setContent { SaifuTheme(say, viewing.dark, viewing.colors, Fonts.FAMILY, content) }
            scene.render(0)
            return scene.render(1.seconds.inWholeNanoseconds)
        } finally {
            scene.close()
        }
    }

    /** Keeps a picture where it can be looked at. */
    fun keep(name: String, png: ByteArray): Path {
        val file = folder.resolve("$name.png")
        Files.createDirectories(file.parent)
        return Files.write(file, png)
    }
}

/** The view of a state, whichever screen it is of. */
@Composable
fun Shown(state: Any) {
    when (state) {
        is NumberState -> NumberView(state) {}
        is SmsState -> SmsView(state, {}) {}
        is HomeState -> HomeView(state, {}) {}
        is PayState -> PayView(state, {}) {}
        is TopUpState -> TopUpView(state, {}) {}
        is TotpState -> TotpView(state) {}
        is HistoryState -> HistoryView(state, {}) {}
        is NoticesState -> NoticesView(state) {}
        is LockedState -> LockedView(state) {}
        else -> error("no view shows ${state::class}")
    }
}
