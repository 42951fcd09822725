package app.saifu.scenario

import app.saifu.Host
import app.saifu.WalletException
import app.saifu.json
import app.saifu.jsonObject
import app.saifu.text
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** How long a step may take on the machine's clock. */
private val STEP_BOUND = 60.seconds

/** `within` moves the clock in so many pieces. */
private const val PIECES = 20

/** After a persona has topped up: its TOTP code and the pause between two top-ups are over. */
private val AFTER_TOP_UP = 61.seconds

/** How a scenario went, as the report has it. */
class Played(val name: String, val steps: Int, val failure: JsonObject?) {
    val ok: Boolean get() = failure == null

    fun document(): JsonObject = jsonObject("name" to name, "steps" to steps, "ok" to ok, "failure" to failure)
}

/** What was not as expected. */
private class Misfit(
    val path: String?,
    val expected: JsonElement,
    val seen: JsonElement,
) : Exception("$path: $expected, seen $seen") {
    constructor(expected: String, seen: JsonElement) : this(null, JsonPrimitive(expected), seen)
}

/** Plays [scenario] against [world]: its personas first, then its steps until one fails, then the books. */
suspend fun play(scenario: Scenario, world: World): Played =
    coroutineScope {
        var done = 0
        var step: Int? = null
        var misfit: Misfit? = null
        val stage = try {
            Stage(world, scenario.policy, this)
        } catch (broken: Broken) {
            val none = Misfit("the issuer starts", json(broken.message))
            return@coroutineScope Played(scenario.name, 0, failure(scenario, null, none, null))
        }
        try {
            for ((name, persona) in scenario.personas) begin(stage, name, persona)
            val saved = HashMap<String, JsonElement>()
            scenario.steps.forEachIndexed { index, it ->
                step = index
                bounded { one(stage, it, saved) }
                done = index + 1
            }
            step = null
        } catch (found: Misfit) {
            misfit = found
        } catch (error: WalletException) {
            misfit = Misfit("a wallet that opens", json("$error"))
        }
        val audit = stage.end(keep = misfit != null)
        if (misfit == null && audit != null && audit["ok"] != json(true)) misfit = Misfit("books that balance", audit)
        Played(scenario.name, done, misfit?.let { failure(scenario, step, it, stage) })
    }

private fun failure(scenario: Scenario, step: Int?, misfit: Misfit, stage: Stage?): JsonObject =
    jsonObject(
        "code" to "scenario-failed",
        "step" to step,
        "do" to step?.let { scenario.steps[it].verb.name },
        "path" to misfit.path,
        "expected" to misfit.expected,
        "seen" to misfit.seen,
        "folder" to stage?.folder?.toString(),
    )

private suspend fun bounded(work: suspend () -> Unit) {
    try {
        withTimeout(STEP_BOUND) { work() }
    } catch (_: TimeoutCancellationException) {
        throw Misfit("an end", JsonPrimitive("none within $STEP_BOUND"))
    }
}

/** Brings a persona to where it starts, by the same verbs that a scenario has. */
suspend fun begin(stage: Stage, name: String, persona: Scenario.Persona, seen: (Host) -> Host = { it }) {
    suspend fun must(verb: String, actor: String, vararg arguments: Pair<String, Any?>): JsonObject {
        val outcome = perform(stage, verb, actor, jsonObject(*arguments))
        if ("error" in outcome || outcome["result"].text == "declined") throw Misfit("$name begins", outcome)
        return outcome
    }
    stage.add(name, persona.number, seen)
    if (!persona.signedUp) return
    must("wallet.sign-up", name)
    must("wallet.confirm", name)
    if (persona.balanceYen != null) {
        val topUp = must("wallet.top-up", name, "yen" to persona.balanceYen)
        val totp = must("wallet.totp", name)
        must("atm.deposit", "atm-1", "number" to topUp["number"], "totp" to totp["code"], "yen" to persona.balanceYen)
        stage.advance(AFTER_TOP_UP)
    }
    must("wallet.refresh", name)
}

/** One step, repeated while time passes if it has a `within`. */
private suspend fun one(stage: Stage, step: Scenario.Step, saved: MutableMap<String, JsonElement>) {
    val arguments = JsonObject(step.arguments.mapValues { (_, value) -> substitute(value, saved) })
    val expect = step.expect.mapValues { (_, expected) -> expected.filled(saved) }
    val pauses = pieces(step.within ?: Duration.ZERO).iterator()
    while (true) {
        val outcome = perform(stage, step.verb.name, step.actor, arguments)
        val misfit = misfit(outcome, expect) ?: return keep(step, outcome, saved)
        if (!pauses.hasNext()) throw misfit
        stage.advance(pauses.next())
    }
}

/** How the clock moves while a step is repeated: by a twentieth of [span] in whole seconds, at least one, and by the rest. */
internal fun pieces(span: Duration): Sequence<Duration> =
    sequence {
        val piece = maxOf(span.inWholeSeconds / PIECES, 1).seconds
        var left = span
        while (left > Duration.ZERO) {
            val by = minOf(piece, left)
            yield(by)
            left -= by
        }
    }

private suspend fun perform(stage: Stage, verb: String, actor: String?, arguments: JsonObject): JsonObject =
    try {
        if (verb.startsWith("wallet.")) {
            stage.performWallet(verb, checkNotNull(actor), arguments)
        } else {
            stage.perform(verb, actor, arguments)
        }
    } catch (broken: Broken) {
        throw Misfit("a step that can be done", json(broken.message))
    }

private fun misfit(outcome: JsonObject, expect: Map<String, Expectation>): Misfit? {
    for ((path, expectation) in expect) {
        val seen = at(outcome, path)
        if (!expectation.met(seen)) {
            return Misfit(path, expectation.document(), seen ?: jsonObject("absent" to true, "outcome" to outcome))
        }
    }
    if ("error" in outcome && "error" !in expect) return Misfit("no refusal", outcome)
    val declined = outcome["result"].text == "declined"
    return if (declined && "result" !in expect && "reason" !in expect) Misfit("no decline", outcome) else null
}

private fun keep(step: Scenario.Step, outcome: JsonObject, saved: MutableMap<String, JsonElement>) {
    for ((name, path) in step.save) {
        val value = at(outcome, path)
        if (value !is JsonPrimitive || value is JsonNull) {
            throw Misfit(path, JsonPrimitive("a text, number or flag to save"), value ?: JsonNull)
        }
        saved[name] = value
    }
}
