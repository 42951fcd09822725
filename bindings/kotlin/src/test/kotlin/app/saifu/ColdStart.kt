package app.saifu

import app.saifu.test.TestHost
import kotlinx.coroutines.runBlocking
import java.lang.management.ManagementFactory
import java.nio.file.Path
import java.util.Base64
import kotlin.time.TimeSource

/** What a process needs that did not run before, milliseconds. */
class ColdStart(
    /** From the beginning of `main` until the library has answered. */
    val load: Double,
    /** Opening the wallet. */
    val open: Double,
    /** Until the TOTP code is there. */
    val code: Double,
    /** From the start of the process until then. */
    val all: Double,
) {
    companion object {
        /** Starts a process that opens the signed-up wallet of [config] over the host in [host]; nobody else may have it open. */
        fun measure(config: Config, host: Path): ColdStart {
            val java = Path.of(System.getProperty("java.home"), "bin", "java").toString()
            val settings = listOf("java.class.path", "jna.library.path").map { "-D$it=${System.getProperty(it)}" }
            val command = listOf(java, "--enable-native-access=ALL-UNNAMED") + settings + ColdStart::class.java.name + words(config)
            val process = ProcessBuilder(command + host.toString()).redirectErrorStream(true).start()
            val told = process.inputReader().readText()
            check(process.waitFor() == 0) { told }
            val (load, open, code, all) = told.trim().lines().last().split(' ').map(String::toDouble)
            return ColdStart(load, open, code, all)
        }

        private fun words(config: Config): List<String> =
            with(config) {
                val keys = (pins + servicePins + serviceKey).map(Base64.getEncoder()::encodeToString)
                listOf(folder, appVersion, customerUrl, serviceUrl, checkNotNull(caPem)) + keys
            }

        private fun config(words: List<String>): Config {
            val keys = words.drop(5).map(Base64.getDecoder()::decode)
            // As many pins of the one server as of the other.
            val pins = keys.dropLast(1).chunked(keys.size / 2)
            return Config(words[0], words[1], words[2], words[3], words[4], pins[0], pins[1], keys.last(), sandbox = true)
        }

        /** The started process. */
        @JvmStatic
        fun main(arguments: Array<String>) {
            var mark = TimeSource.Monotonic.markNow()

            fun lap(): Double {
                val passed = mark.elapsedNow()
                mark = TimeSource.Monotonic.markNow()
                return passed.inWholeNanoseconds / 1e6
            }
            version()
            val load = lap()
            val wallet = runBlocking { openWallet(TestHost(Path.of(arguments.last())).platform(), config(arguments.dropLast(1))) }
            val open = lap()
            wallet.account().totp()
            val code = lap()
            val all = System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().startTime
            println("$load $open $code $all")
        }
    }
}
