package app.saifu.scenario

import app.saifu.flag
import app.saifu.whole
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import java.security.MessageDigest

/** JSON without blanks, keys in byte order: the same text for the same scenario in every language. */
fun canonical(value: JsonElement): String =
    when (value) {
        is JsonObject -> {
            val fields = value.entries.sortedWith(compareBy(BYTES) { it.key })
            fields.joinToString(",", "{", "}") { (name, field) -> "${quoted(name)}:${canonical(field)}" }
        }
        is JsonArray -> value.joinToString(",", "[", "]", transform = ::canonical)
        is JsonNull -> "null"
        is JsonPrimitive -> when {
            value.isString -> quoted(value.content)
            value.whole != null || value.flag != null -> value.content
            else -> throw Malformed("$", "`$value` is neither text nor whole number nor flag")
        }
    }

/** SHA-256 over the sorted canonical texts, a line each. */
fun hash(scenarios: List<Scenario>): String {
    val texts = scenarios.map { it.canonical }.sortedWith(BYTES).joinToString("\n")
    return MessageDigest.getInstance("SHA-256").digest(texts.toByteArray()).joinToString("") { "%02x".format(it) }
}

/** By the bytes of their UTF-8, which is the order of their code points. */
private val BYTES = Comparator<String> { one, other -> one.toByteArray().compareUnsigned(other.toByteArray()) }

private fun ByteArray.compareUnsigned(other: ByteArray): Int = java.util.Arrays.compareUnsigned(this, other)

private fun quoted(text: String): String =
    text.map { character ->
        when (character) {
            '"' -> "\\\""
            '\\' -> "\\\\"
            '\b' -> "\\b"
            '\u000C' -> "\\f"
            '\n' -> "\\n"
            '\r' -> "\\r"
            '\t' -> "\\t"
            in '\u0000'..'\u001F' -> "\\u%04x".format(character.code)
            else -> "$character"
        }
    }.joinToString("", "\"", "\"")
