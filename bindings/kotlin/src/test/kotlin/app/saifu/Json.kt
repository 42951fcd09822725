package app.saifu

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
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
        else -> error("no JSON is made of ${value::class}")
    }

fun jsonObject(vararg fields: Pair<String, Any?>): JsonObject =
    JsonObject(fields.associate { (name, value) -> name to json(value) })

/** What the issuer's messages and scenarios call this value. */
val Enum<*>.wireName: String get() = name.lowercase().replace('_', '-')
