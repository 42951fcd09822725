package app.saifu.scenario

import app.saifu.json
import app.saifu.jsonObject
import app.saifu.text
import app.saifu.whole
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import java.io.BufferedReader
import java.io.Writer
import java.util.concurrent.TimeUnit
import kotlin.time.Duration

/** Why a verb gave no result: the scenario or the machine is at fault, and no step may expect that. */
class Broken(why: String) : Exception(why)

/**
 * `saifu scenario world`: the issuer, the terminals, the levers and the books of a scenario; everything but the wallets.
 * One JSON request a line to its stdin, one JSON answer a line from its stdout.
 */
class World(command: String = System.getProperty("saifu.command")) : AutoCloseable {
    private val process: Process =
        ProcessBuilder(command, "scenario", "world").redirectError(ProcessBuilder.Redirect.DISCARD).start()
    private val requests: Writer = process.outputStream.bufferedWriter()
    private val answers: BufferedReader = process.inputStream.bufferedReader()

    /** The table of verbs. */
    val table: Table by lazy { Table(granted(jsonObject("ask" to "verbs"))) }

    /** Starts an issuer with [policy] for one scenario. */
    fun begin(policy: JsonObject): JsonObject = granted(jsonObject("ask" to "begin", "policy" to policy))

    /** Does one step. A refusal is an outcome too. */
    fun perform(verb: String, actor: String?, number: String?, arguments: JsonObject): JsonObject {
        val optional = listOf("as" to actor, "number" to number).filter { it.second != null }
        val request = listOf("ask" to "do", "verb" to verb) + optional + ("arguments" to arguments)
        val answer = ask(jsonObject(*request.toTypedArray()))
        return (answer["ok"] ?: answer["refused"]) as? JsonObject ?: throw Broken(answer["broken"].text ?: "$answer")
    }

    /** How many requests the issuer holds. */
    fun held(): Long {
        val answer = perform("sandbox.held", null, null, JsonObject(mapOf()))
        return answer["held"].whole ?: throw Broken("the world answered $answer")
    }

    /** Moves every clock by so many whole seconds and gives how far the sandbox's is ahead now, milliseconds. */
    fun advance(by: Duration): Long {
        val moved = perform("sandbox.clock", null, null, jsonObject("advance" to "${by.inWholeSeconds}s"))
        return moved["offset_ms"].whole ?: throw Broken("the clock answered $moved")
    }

    /** Ends the scenario's issuer and gives what its books say, or null if it was stopped. */
    fun end(keep: Boolean): JsonObject? = granted(jsonObject("ask" to "end", "keep" to keep))["audit"] as? JsonObject

    /** Ends the process; it takes a running issuer with it. */
    override fun close() {
        requests.close()
        if (!process.waitFor(20, TimeUnit.SECONDS)) process.destroyForcibly()
    }

    private fun granted(request: JsonObject): JsonObject {
        val answer = ask(request)
        return answer["ok"] as? JsonObject ?: throw Broken((answer["broken"] ?: answer).let { it.text ?: "$it" })
    }

    @Synchronized
    private fun ask(request: JsonElement): JsonObject {
        requests.write("$request\n")
        requests.flush()
        val line = answers.readLine() ?: throw Broken("the world has ended")
        return Json.parseToJsonElement(line) as? JsonObject ?: throw Broken("the world answered $line")
    }
}

/** What a step can do, as the world tells it. */
class Table(document: JsonObject) {
    /** The fields of a refusal, whatever the verb. */
    val refusal: Set<String> = texts(document["refusal"]).toSet()
    val verbs: Map<String, Verb> = objects(document["verbs"]).map(::Verb).associateBy { it.name }

    class Verb(row: JsonObject) {
        val name: String = row["name"].needed
        val actor: String = row["actor"].needed
        val default: String? = row["default"].text
        val arguments: List<Argument> = objects(row["arguments"]).map(::Argument)
        val gives: Set<String> = texts(row["gives"]).toSet()
        val reads: Boolean = row["reads"] == json(true)
    }

    class Argument(row: JsonObject) {
        val name: String = row["name"].needed
        val kind: String = row["kind"].needed
        val values: List<String> = if (row["values"] is JsonArray) texts(row["values"]) else listOf()
        val required: Boolean = row["required"] == json(true)
    }

    private companion object {
        val JsonElement?.needed: String get() = text ?: throw Broken("the table of verbs has $this in the place of a name")

        fun objects(list: JsonElement?): List<JsonObject> = (list as JsonArray).map { it as JsonObject }

        fun texts(list: JsonElement?): List<String> = (list as JsonArray).map { it.needed }
    }
}
