package app.saifu

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import java.lang.reflect.Modifier
import java.nio.file.Path
import java.time.Duration
import java.time.Instant

/** The checkout, as Maven tells it. */
val repository: Path by lazy { Path.of(System.getProperty("saifu.repository")).toAbsolutePath().normalize() }

private val WHOLE = Regex("-?(0|[1-9][0-9]*)")

/** The text, if it is one. */
val JsonElement?.text: String? get() = (this as? JsonPrimitive)?.takeIf { it.isString }?.content

/** The whole number, if it is one that fits 64 bits. */
val JsonElement?.whole: Long?
    get() = (this as? JsonPrimitive)?.takeIf { !it.isString && WHOLE.matches(it.content) }?.content?.toLongOrNull()

/** True or false, if it is one. */
val JsonElement?.flag: Boolean?
    get() = (this as? JsonPrimitive)?.takeIf { !it.isString }?.content?.toBooleanStrictOrNull()

/** A JSON value of what the bindings give. */
fun json(value: Any?): JsonElement =
    when (value) {
        null -> JsonNull
        is JsonElement -> value
        is String -> JsonPrimitive(value)
        is Boolean -> JsonPrimitive(value)
        is Int, is Long, is Double -> JsonPrimitive(value as Number)
        is Instant -> JsonPrimitive(value.toEpochMilli())
        is Duration -> JsonPrimitive(value.toMillis())
        is Sensitive -> JsonPrimitive(value.expose())
        is Enum<*> -> JsonPrimitive(value.wireName)
        is List<*> -> JsonArray(value.map(::json))
        is Following -> JsonPrimitive(kindOf(value))
        else -> JsonObject(fields(value))
    }

/** What a record of the bindings holds, by the names that scenarios have for it. */
fun fields(record: Any): Map<String, JsonElement> =
    record.javaClass.declaredFields.filterNot { Modifier.isStatic(it.modifiers) }.associate { field ->
        field.isAccessible = true
        val unit = if (field.type == Duration::class.java) "_ms" else ""
        words(field.name, "_") + unit to json(field.get(record))
    }

/** Which of its cases a value is: `TopUpExpired` is `top-up-expired`. */
fun kindOf(case: Any): String = words(case.javaClass.simpleName, "-")

private fun words(name: String, between: String): String = name.split(Regex("(?<=.)(?=[A-Z])")).joinToString(between).lowercase()

fun jsonObject(vararg fields: Pair<String, Any?>): JsonObject =
    JsonObject(fields.associate { (name, value) -> name to json(value) })

/** What the issuer's messages and scenarios call this value. */
val Enum<*>.wireName: String get() = name.lowercase().replace('_', '-')
