package app.saifu.conformance

import app.saifu.Host
import app.saifu.HostException
import app.saifu.HostKey
import app.saifu.Role
import app.saifu.SealName
import app.saifu.flag
import app.saifu.scenario.FAILURES
import app.saifu.scenario.wireName
import app.saifu.text
import app.saifu.whole
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import java.nio.file.Files
import java.nio.file.Path

/** What a file plays against: a host, how a restarted process would open it, the way to its authorization key. */
class Subject(val open: () -> Host, val authorize: (Host, ByteArray) -> ByteArray, val pause: (Long) -> Unit = Thread::sleep)

/** A file that is not as `core/host/conformance/FORMAT.md` says. */
class BrokenFile(why: String) : Exception(why)

/** Plays [file] against [subject] and gives the rules that it breaks: none when it conforms. */
fun play(file: Path, subject: Subject): List<String> = play(Files.readString(file), subject)

fun play(text: String, subject: Subject): List<String> {
    val root = Json.parseToJsonElement(text) as? JsonObject ?: throw BrokenFile("an object is needed")
    if (root.keys != setOf("about", "steps")) throw BrokenFile("its fields are ${root.keys}")
    if (root["about"].text == null) throw BrokenFile("`about` is no text")
    val steps = root["steps"] as? JsonArray ?: throw BrokenFile("`steps` is no list")
    val read = steps.mapIndexed { index, step -> Step(step, "steps[$index]") }
    val saved = HashSet<String>()
    read.forEach { step ->
        step.names().firstOrNull { it !in saved }?.let { throw BrokenFile("${step.place}: nothing was saved as `$it`") }
        step.save?.let(saved::add)
    }
    return Run(subject).all(read)
}

/** One step, checked against the format. */
private class Step(element: JsonElement, val place: String) {
    private val fields = element as? JsonObject ?: throw BrokenFile("$place: an object is needed")
    val verb: String = fields["do"].text ?: throw BrokenFile("$place: no `do`")
    val arguments: Map<String, JsonElement>
    val expect: JsonObject? = fields["expect"]?.let { it as? JsonObject ?: broken("`expect` is no object") }
    val rule: String? = fields["rule"]?.let { it.text ?: broken("`rule` is no text") }
    val save: String? = fields["save"]?.let { it.text ?: broken("`save` is no text") }

    init {
        val wanted = VERBS[verb] ?: broken("no verb is `$verb`")
        arguments = fields - listOf("do", "expect", "rule", "save")
        arguments.keys.firstOrNull { it !in wanted }?.let { broken("`$verb` has no `$it`") }
        wanted.filterKeys { it !in arguments && it != "times" }.keys.firstOrNull()?.let { broken("`$it` is missing") }
        arguments.forEach { (name, value) -> if (!wanted.getValue(name)(value)) broken("`$name` is $value") }
        if (expect != null && (expect.isEmpty() || rule == null)) broken("an expectation and its rule belong together")
        expect?.forEach { (name, value) ->
            val expectation = EXPECTATIONS[name] ?: broken("no expectation is `$name`")
            if (verb !in expectation.of || !expectation.fits(value)) broken("`$name` is nothing for `$verb`")
        }
        if (expect != null && "error" in expect && expect.size > 1) broken("`error` stands alone")
    }

    /** The saved values that it names. */
    fun names(): List<String> =
        listOf("key", "signature", "sealed").mapNotNull { arguments[it].text } +
            listOf("same", "differs", "follows", "boot").mapNotNull { expect?.get(it).text } +
            listOfNotNull((expect?.get("elapsed_ms") as? JsonObject)?.get("since").text)

    private fun broken(why: String): Nothing = throw BrokenFile("$place: $why")

    private class Expectation(val of: Set<String>, val fits: (JsonElement) -> Boolean)

    private companion object {
        val isText = { value: JsonElement -> value.text != null }
        val isRole = { value: JsonElement -> value.text in setOf("device", "authorization") }
        val isCount = { value: JsonElement -> (value.whole ?: 0) >= 1 }
        val isBytes = { value: JsonElement -> bytesOrNull(value) != null }
        val VERBS: Map<String, Map<String, (JsonElement) -> Boolean>> = mapOf(
            "keys.create" to mapOf("role" to isRole),
            "keys.info" to mapOf("role" to isRole),
            "keys.sign" to mapOf("message" to isBytes),
            "keys.delete" to mapOf("role" to isRole),
            "authorize" to mapOf("message" to isBytes),
            "verify" to mapOf("key" to isText, "message" to isBytes, "signature" to isText),
            "secrets.id" to mapOf(),
            "secrets.renew" to mapOf(),
            "secrets.retire" to mapOf(),
            "secrets.seal" to mapOf("plain" to isBytes),
            "secrets.unseal" to mapOf("sealed" to isText),
            "secrets.unseal-damaged" to mapOf("sealed" to isText),
            "clock.read" to mapOf("times" to isCount),
            "pause" to mapOf("ms" to isCount),
            "reopen" to mapOf(),
        )
        val KEY = setOf("keys.create", "keys.info")
        val SEAL = setOf("secrets.id", "secrets.renew")
        val CLOCK = setOf("clock.read")
        val isTrue = { value: JsonElement -> value.flag == true }
        val isErrorName = { value: JsonElement -> value.text in FAILURES }
        val EXPECTATIONS = mapOf(
            "error" to Expectation(VERBS.keys - setOf("verify", "secrets.unseal-damaged", "pause", "reopen"), isErrorName),
            "same" to Expectation(KEY + SEAL, isText),
            "differs" to Expectation(KEY + setOf("keys.sign", "authorize", "secrets.seal"), isText),
            "valid" to Expectation(setOf("verify")) { it.flag != null },
            "none" to Expectation(setOf("secrets.id"), isTrue),
            "random_install" to Expectation(SEAL, isTrue),
            "follows" to Expectation(SEAL, isText),
            "bytes" to Expectation(setOf("secrets.unseal"), isBytes),
            "lacks" to Expectation(setOf("secrets.seal"), isBytes),
            "opened" to Expectation(setOf("secrets.unseal-damaged")) { it.whole != null },
            "wall_ms" to Expectation(CLOCK) { hasExactly(it, "from", "below") },
            "elapsed_ms" to Expectation(CLOCK) { hasExactly(it, "since", "from", "below") },
            "rising" to Expectation(CLOCK, isTrue),
            "boot" to Expectation(CLOCK, isText),
        )

        fun hasExactly(value: JsonElement, vararg names: String): Boolean =
            value is JsonObject && value.keys == names.toSet() &&
                names.all { if (it == "since") value[it].text != null else value[it].whole != null }
    }
}

internal fun bytesOrNull(value: JsonElement?): ByteArray? {
    value.text?.let { return it.toByteArray() }
    val fields = (value as? JsonObject)?.takeIf { it.keys == setOf("fill", "len") } ?: return null
    val fill = fields["fill"].whole?.takeIf { it in 0..255 } ?: return null
    val len = fields["len"].whole?.takeIf { it in 0..1_000_000 } ?: return null
    return ByteArray(len.toInt()) { fill.toByte() }
}

internal fun role(value: JsonElement?): Role = if (value.text == "device") Role.DEVICE else Role.AUTHORIZATION

internal fun same(one: SealName, other: SealName): Boolean =
    one.install.contentEquals(other.install) && one.generation == other.generation

internal fun same(one: HostKey, other: HostKey): Boolean = one.spki.contentEquals(other.spki) && one.hardware == other.hardware

private class Run(private val subject: Subject) {
    private val calls = Calls(subject)
    private val findings = ArrayList<String>()

    fun all(steps: List<Step>): List<String> {
        for (step in steps) {
            val given = try {
                calls.perform(step.verb, step.arguments)
            } catch (failure: HostException) {
                val name = failure.wireName
                if (step.expect?.get("error").text == name) continue
                findings += "${step.rule ?: step.verb}: $name"
                if (step.save != null) break
                continue
            }
            if (!calls.met(given, step.expect, step.arguments)) findings += step.rule ?: step.verb
            step.save?.let { calls.saved[it] = given }
        }
        return findings
    }
}
