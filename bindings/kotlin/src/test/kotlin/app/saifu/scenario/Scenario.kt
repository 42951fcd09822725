package app.saifu.scenario

import app.saifu.flag
import app.saifu.text
import app.saifu.whole
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import java.nio.file.Path
import kotlin.io.path.nameWithoutExtension
import kotlin.io.path.readText
import kotlin.time.Duration
import kotlin.time.DurationUnit
import kotlin.time.toDuration

/** What is wrong with a file, and where. */
class Malformed(val path: String, what: String) : Exception("$path: $what")

/** A scenario that can be played. `docs/scenarios.md` says what a file means. */
class Scenario(
    val name: String,
    val personas: Map<String, Persona>,
    val policy: JsonObject,
    val steps: List<Step>,
    val canonical: String,
) {
    /** A named wallet. */
    class Persona(val number: String, val signedUp: Boolean, val balanceYen: Long?)

    class Step(
        val verb: Table.Verb,
        val actor: String?,
        val arguments: JsonObject,
        val expect: Map<String, Expectation>,
        val save: Map<String, String>,
        val within: Duration?,
    )
}

/** Reads [file] and refuses whatever the format or [table] does not know. */
fun read(file: Path, table: Table): Scenario {
    val scenario = parse(file.readText(), table)
    if (scenario.name != file.nameWithoutExtension) throw Malformed("$.name", "it is `${scenario.name}`, not the file's name")
    return scenario
}

fun parse(text: String, table: Table): Scenario {
    val root = try {
        Json.parseToJsonElement(text)
    } catch (error: SerializationException) {
        throw Malformed("$", "this is no JSON: ${error.message}")
    }
    return Parser(table).scenario(root)
}

/** The time of `90s`, `15m`, `72h`, `3d`. */
fun span(text: String): Duration? {
    val (digits, unit) = SPAN.matchEntire(text)?.destructured ?: return null
    return digits.toLongOrNull()?.toDuration(UNITS.getValue(unit))?.takeIf(Duration::isFinite)
}

private val UNITS = mapOf(
    "s" to DurationUnit.SECONDS,
    "m" to DurationUnit.MINUTES,
    "h" to DurationUnit.HOURS,
    "d" to DurationUnit.DAYS,
)

private val SPAN = Regex("([1-9][0-9]*)([smhd])")
private val NAME = Regex("[a-z][a-z0-9-]*")

private class Parser(private val table: Table) {
    private val personas = LinkedHashMap<String, Scenario.Persona>()
    private val saved = HashSet<String>()

    fun scenario(root: JsonElement): Scenario {
        val fields = objectAt(root, "$")
        only(fields, setOf("\$schema", "name", "shows", "personas", "policy", "steps"), "$")
        val name = textOf(fields, "name", "$")
        if (!NAME.matches(name)) wrong("$.name", "small letters, digits and hyphens, beginning with a letter")
        if (textOf(fields, "shows", "$").isEmpty()) wrong("$.shows", "say what it shows")
        if ("\$schema" in fields && fields["\$schema"].text == null) wrong("$.\$schema", "a text is needed")
        for ((named, value) in objectAt(required(fields, "personas", "$"), "$.personas").entries.sortedBy { it.key }) {
            personas[named] = persona(named, value)
        }
        val policy = fields["policy"]?.let { objectAt(it, "$.policy") } ?: JsonObject(mapOf())
        val rows = (required(fields, "steps", "$") as? JsonArray).orEmpty()
        if (rows.isEmpty()) wrong("$.steps", "a list of steps is needed")
        val steps = rows.mapIndexed { index, row -> step(row, "$.steps[$index]") }
        return Scenario(name, personas, policy, steps, canonical(root))
    }

    private fun persona(name: String, value: JsonElement): Scenario.Persona {
        val path = "$.personas.$name"
        if (!NAME.matches(name)) wrong(path, "a name is small letters, digits and hyphens, beginning with a letter")
        val fields = objectAt(value, path)
        only(fields, setOf("number", "state", "balance_yen"), path)
        val signedUp = when (if ("state" in fields) fields["state"].text else "new") {
            "new" -> false
            "starter" -> true
            else -> wrong("$path.state", "`new` or `starter` is needed")
        }
        val balance = fields["balance_yen"]?.let { yen ->
            yen.whole?.takeIf { it >= 1 } ?: wrong("$path.balance_yen", "a whole number from 1 on is needed")
        }
        if (balance != null && !signedUp) wrong("$path.balance_yen", "only a `starter` has a balance")
        return Scenario.Persona(textOf(fields, "number", path), signedUp, balance)
    }

    private fun step(value: JsonElement, path: String): Scenario.Step {
        val fields = objectAt(value, path)
        val name = textOf(fields, "do", path)
        val verb = table.verbs[name] ?: wrong("$path.do", "no verb is `$name`")
        only(fields, setOf("do", "as", "expect", "save", "within") + verb.arguments.map { it.name }, path)
        val actor = actor(verb, fields["as"], "$path.as")
        val arguments = verb.arguments.mapNotNull { argument(it, fields[it.name], "$path.${it.name}") }.toMap()
        val expect = fields["expect"]?.let { objectAt(it, "$path.expect") }.orEmpty().mapValues { (at, expected) ->
            if (!gives(verb, at)) wrong("$path.expect.$at", "`$name` does not give it")
            Expectation.read(expected) ?: wrong("$path.expect.$at", "no expectation is $expected")
        }
        for (used in (arguments.values + expect.values.flatMap { it.values }).flatMap(::names)) {
            if (used !in saved) wrong(path, "`\${$used}` is not saved by an earlier step")
        }
        val save = fields["save"]?.let { objectAt(it, "$path.save") }.orEmpty().mapValues { (label, at) ->
            if (!NAME.matches(label)) wrong("$path.save.$label", "a name is small letters, digits and hyphens")
            at.text?.takeIf { gives(verb, it) } ?: wrong("$path.save.$label", "`$name` does not give $at")
        }
        saved += save.keys
        return Scenario.Step(verb, actor, JsonObject(arguments), expect, save, within(verb, fields["within"], "$path.within"))
    }

    private fun within(verb: Table.Verb, value: JsonElement?, path: String): Duration? {
        if (value == null) return null
        if (!verb.reads) wrong(path, "`${verb.name}` changes something, so it is not repeated")
        return value.text?.let(::span) ?: wrong(path, "a time span such as 90s, 15m, 72h or 3d is needed")
    }

    private fun actor(verb: Table.Verb, value: JsonElement?, path: String): String? {
        val name = value?.let { it.text ?: wrong(path, "a name is needed") }
        return when (verb.actor) {
            "persona" -> name?.takeIf { it in personas } ?: wrong(path, "no persona is `$name`")
            "nobody" -> name?.let { wrong(path, "nobody does `${verb.name}`") }
            else -> {
                val first = checkNotNull(verb.default)
                val kind = first.removeSuffix("-1")
                (name ?: first).also { if (!it.startsWith(kind)) wrong(path, "`$it` is no $kind") }
            }
        }
    }

    private fun argument(argument: Table.Argument, value: JsonElement?, path: String): Pair<String, JsonElement>? {
        if (value == null) return if (argument.required) wrong(path, "it is missing") else null
        val fits = when (argument.kind) {
            "text" -> value.text != null
            "number" -> value.text?.let(::isReference) ?: ((value.whole ?: 0) >= 1)
            "flag" -> value.flag != null
            "span" -> value.text?.let(::span) != null
            "one-of" -> value.text in argument.values
            else -> wrong(path, "this runner knows no argument of kind ${argument.kind}")
        }
        if (!fits) wrong(path, "a ${argument.kind} is needed, not $value")
        return argument.name to value
    }

    private fun gives(verb: Table.Verb, path: String): Boolean =
        path.substringBefore('.').let { it in verb.gives || it in table.refusal }

    private fun objectAt(value: JsonElement, path: String): JsonObject = value as? JsonObject ?: wrong(path, "an object is needed")

    private fun only(fields: JsonObject, known: Set<String>, path: String) {
        fields.keys.firstOrNull { it !in known }?.let { wrong("$path.$it", "it is not known here; known are $known") }
    }

    private fun required(fields: JsonObject, name: String, path: String): JsonElement =
        fields[name] ?: wrong("$path.$name", "it is missing")

    private fun textOf(fields: JsonObject, name: String, path: String): String =
        required(fields, name, path).text ?: wrong("$path.$name", "a text is needed")

    private fun wrong(path: String, what: String): Nothing = throw Malformed(path, what)
}
