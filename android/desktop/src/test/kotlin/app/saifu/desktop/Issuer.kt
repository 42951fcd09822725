package app.saifu.desktop

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import java.nio.file.Path

/** A sandbox of its own, with its tills and ATMs: processes of `saifu`. */
class Issuer(private val home: Path) : AutoCloseable {
    private val process: Process = start("sandbox", "--port", "0")
    private val told: JsonObject = document(process.inputStream.bufferedReader().readLine())

    val file: Path = Path.of(told.getValue("sandbox").jsonPrimitive.content)

    /** The document that a command of `saifu` writes. */
    fun saifu(vararg words: String): JsonObject {
        val process = start(*words)
        return document(process.inputStream.bufferedReader().readText()).also { process.waitFor() }
    }

    /** The newest code that was sent to a number. */
    fun smsCode(number: String): String =
        saifu("sandbox", "sms", "--number", number).getValue("messages").jsonArray
            .last { "code" in it.jsonObject }.jsonObject.getValue("code").jsonPrimitive.content

    private fun start(vararg words: String): Process =
        ProcessBuilder(System.getProperty("saifu.command"), "--json", "--home", "$home", *words)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start()

    private fun document(text: String): JsonObject = Json.parseToJsonElement(text).jsonObject

    override fun close() {
        process.destroyForcibly().waitFor()
    }
}
