package app.saifu.scenario

import app.saifu.flag
import app.saifu.jsonObject
import app.saifu.text
import app.saifu.whole
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

/** Saved values by name. */
typealias Saved = Map<String, JsonElement>

/** What is expected at one path. */
sealed interface Expectation {
    /** The values in it, which may name saved ones. */
    val values: List<JsonElement> get() = listOf()

    /** The same with saved values in place of their names. */
    fun filled(saved: Saved): Expectation = this

    /** Whether [seen], what stands at the path if anything, is as expected. */
    fun met(seen: JsonElement?): Boolean

    /** As a file says it. */
    fun document(): JsonElement

    /** This very text, number or flag. */
    data class Equal(val value: JsonElement) : Expectation {
        override val values get() = listOf(value)

        override fun filled(saved: Saved) = Equal(substitute(value, saved))

        override fun met(seen: JsonElement?) = seen == value

        override fun document() = value
    }

    /** A number in these bounds, both included. */
    data class Between(val bounds: Map<String, JsonElement>) : Expectation {
        override val values get() = bounds.values.toList()

        override fun filled(saved: Saved) = Between(bounds.mapValues { substitute(it.value, saved) })

        override fun met(seen: JsonElement?): Boolean {
            val number = seen.whole ?: return false
            return bounds.all { (name, bound) ->
                val limit = bound.whole ?: return false
                if (name == "gte") number >= limit else number <= limit
            }
        }

        override fun document() = JsonObject(bounds)
    }

    /** Nothing stands there. */
    data object Absent : Expectation {
        override fun met(seen: JsonElement?) = seen == null

        override fun document() = jsonObject("absent" to true)
    }

    /** A null stands there. */
    data object Null : Expectation {
        override fun met(seen: JsonElement?) = seen == JsonNull

        override fun document() = jsonObject("null" to true)
    }

    companion object {
        /** Reads it as a file says it. `null`: it makes no sense. */
        fun read(value: JsonElement): Expectation? =
            when {
                value.text != null || value.flag != null || value.whole != null -> Equal(value)
                value == jsonObject("absent" to true) -> Absent
                value == jsonObject("null" to true) -> Null
                value is JsonObject && value.isNotEmpty() && value.all { (name, bound) -> isBound(name, bound) } -> Between(value)
                else -> null
            }

        private fun isBound(name: String, value: JsonElement): Boolean =
            (name == "gte" || name == "lte") && (value.whole != null || value.text?.let(::isReference) == true)
    }
}

/** What stands at a dotted path; a number picks from a list. */
fun at(value: JsonElement, path: String): JsonElement? =
    path.split('.').fold(value as JsonElement?) { here, part ->
        when (here) {
            is JsonObject -> here[part]
            is JsonArray -> part.toUIntOrNull()?.let { here.getOrNull(it.toInt()) }
            else -> null
        }
    }

private val REFERENCE = Regex("""\$\{(wrong:)?([^}]*)}""")

/** Whether [text] is `${name}` or `${wrong:name}` and nothing beside it. */
fun isReference(text: String): Boolean = REFERENCE.matches(text)

/** The names that [value] refers to. */
fun names(value: JsonElement): List<String> = REFERENCE.findAll(value.text.orEmpty()).map { it.groupValues[2] }.toList()

/** [value] with saved ones in place of their names. A text that is one name becomes the saved value itself. */
fun substitute(value: JsonElement, saved: Saved): JsonElement {
    val text = value.text ?: return value
    REFERENCE.matchEntire(text)?.let { if (it.groupValues[1].isEmpty()) return saved.getValue(it.groupValues[2]) }
    val filled = REFERENCE.replace(text) { found ->
        val words = (saved.getValue(found.groupValues[2]) as JsonPrimitive).content
        if (found.groupValues[1].isEmpty()) words else withAnotherLastDigit(words)
    }
    return JsonPrimitive(filled)
}

private fun withAnotherLastDigit(text: String): String {
    val last = text.lastOrNull()
    return text.dropLast(1) + if (last != null && last in '0'..'8') last + 1 else '0'
}
