package app.saifu.desktop

import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.ui.Alignment
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.dp
import androidx.compose.ui.window.Window
import androidx.compose.ui.window.WindowPosition
import androidx.compose.ui.window.WindowState
import androidx.compose.ui.window.application
import app.saifu.Wallet
import app.saifu.openWallet
import app.saifu.presentation.App
import app.saifu.presentation.Language
import app.saifu.presentation.Platform
import app.saifu.presentation.Say
import app.saifu.presentation.Text
import app.saifu.presentation.Words
import app.saifu.test.TestHost
import app.saifu.test.sandboxConfig
import app.saifu.ui.AppView
import app.saifu.ui.SaifuTheme
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import java.nio.file.Path
import java.time.Clock
import javax.swing.JOptionPane
import kotlin.system.exitProcess

/** What the window is asked to show; `cargo xtask app` writes it. */
private class Asked(arguments: Array<String>) {
    private val given = arguments.toList().chunked(2).associate { (name, value) -> name to value }

    val sandbox: Path = Path.of(given.getValue("--sandbox"))
    val folder: Path = Path.of(given.getValue("--folder"))
    val size: Pair<Int, Int> = size(given["--size"] ?: "360x740")
    val dark: Boolean = given["--dark"] == "yes"
    val language: Language = Language.of(given["--language"] ?: "ja")
    val fontScale: Float = given["--text"]?.toFloat()?.div(100) ?: 1f

    private fun size(text: String): Pair<Int, Int> {
        val parts = text.split("x").mapNotNull { it.toIntOrNull()?.takeIf { dp -> dp > 0 } }
        if (parts.size == 2) return parts[0] to parts[1]
        System.err.println("--size $text: give width and height in dp, like 360x740")
        exitProcess(2)
    }
}

/** The desktop has no brightness and no haptics; its prompt is a question. */
private class Desktop(private val host: TestHost, private val say: Say) : Platform {
    override val clock: Clock = CLOCK

    override suspend fun approve(text: Text, bytes: ByteArray): ByteArray? =
        withContext(Dispatchers.IO) {
            val answer = JOptionPane.showConfirmDialog(null, say.text(text), "", JOptionPane.OK_CANCEL_OPTION)
            if (answer == JOptionPane.OK_OPTION) host.authorize(bytes) else null
        }

    override fun felt(paid: Boolean) = Unit

    companion object {
        val CLOCK: Clock = Clock.systemDefaultZone()
    }
}

/** The app in a window beside a sandbox, with keys in files: for QA, never for a customer. */
fun main(arguments: Array<String>) {
    val asked = Asked(arguments)
    val host = TestHost(asked.folder.resolve("host"))
    val wallet: Wallet = runBlocking { openWallet(host.platform(), sandboxConfig(asked.sandbox, asked.folder.resolve("vault"))) }
    val say = Say(Words.of(asked.language), Desktop.CLOCK)
    val app = App(wallet, Desktop(host, say))
    application {
        val close = {
            runBlocking { wallet.close() }
            exitApplication()
        }
        val (width, height) = asked.size
        val state = WindowState(position = WindowPosition(Alignment.Center), width = width.dp, height = height.dp)
        Window(close, state, title = say.text(Text("app_name"))) {
            val density = Density(LocalDensity.current.density, asked.fontScale)
            CompositionLocalProvider(LocalDensity provides density) {
                SaifuTheme(say, asked.dark, family = Fonts.FAMILY) { AppView(app) }
            }
        }
    }
    exitProcess(0)
}
