package app.saifu.presentation

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** The languages there are, Japanese first. */
enum class Language(val tag: String) {
    JAPANESE("ja"),
    ENGLISH("en"),
    ;

    companion object {
        /** The language of a tag like `ja-JP`; Japanese where there is no such one. */
        fun of(tag: String): Language = entries.find { tag.startsWith(it.tag) } ?: JAPANESE
    }
}

/** One language of the catalogue that both apps share. */
class Words private constructor(val language: Language, private val catalogue: JsonObject) {
    /** Every key. */
    val keys: Set<String> get() = catalogue.keys

    /** The words of [key]; in the plural that [count] needs, where the language has one. */
    fun of(key: String, count: Long?): String {
        val entry = catalogue[key] ?: throw NoSuchElementException("no words for $key")
        return form(entry.jsonObject.getValue(language.tag), count)
    }

    private fun form(words: JsonElement, count: Long?): String =
        when (words) {
            is JsonPrimitive -> words.content
            else -> words.jsonObject.getValue(if (count == 1L) "one" else "other").jsonPrimitive.content
        }

    companion object {
        private val catalogue: JsonObject by lazy {
            val stream = checkNotNull(Words::class.java.getResourceAsStream("/words.json")) { "words.json is not packaged" }
            Json.parseToJsonElement(stream.use { it.readBytes().decodeToString() }).jsonObject
        }

        /** Whether there are words for [key]. */
        operator fun contains(key: String): Boolean = key in catalogue

        fun of(language: Language): Words = Words(language, catalogue)
    }
}
