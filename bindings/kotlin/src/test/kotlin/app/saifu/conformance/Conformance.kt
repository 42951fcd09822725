package app.saifu.conformance

import app.saifu.ClockReading
import app.saifu.Host
import app.saifu.HostException
import app.saifu.HostKey
import app.saifu.Role
import app.saifu.SealName
import app.saifu.flag
import app.saifu.scenario.wireName
import app.saifu.text
import app.saifu.whole
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import java.nio.file.Files
import java.nio.file.Path
import java.security.GeneralSecurityException
import java.security.KeyFactory
import java.security.Signature
import java.security.spec.X509EncodedKeySpec

/** What a file plays against: a host, how a restarted process would open it, the way to its authorization key. */
class Subject(val open: () -> Host, val authorize: (Host, ByteArray) -> ByteArray)

/**
 * Plays [file], one of `core/host/conformance`, against [subject] and gives the rules that it breaks: none when it conforms. That
 * the files are as `FORMAT.md` says is seen to by Rust's interpreter; what this one does not know is an [IllegalStateException].
 */
fun play(file: Path, subject: Subject): List<String> {
    val run = Run(subject)
    val findings = ArrayList<String>()
    for (step in Json.parseToJsonElement(Files.readString(file)).field("steps") as JsonArray) {
        val (expect, save) = (step.field("expect") as JsonObject?).orEmpty() to step.field("save").text
        val shows = (step.field("rule") ?: step.field("do")).text
        val given = try {
            run.perform(step)
        } catch (failure: HostException) {
            if (expect["error"].text == failure.wireName) continue
            findings += "$shows: ${failure.wireName}"
            if (save != null) break
            continue
        }
        // Every one, so that one that is not known is noticed.
        if (expect.map { (name, value) -> run.met(name, value, given) }.contains(false)) findings += "$shows"
        save?.let { run.saved[it] = given }
    }
    return findings
}

private fun JsonElement?.field(name: String): JsonElement? = (this as? JsonObject)?.get(name)

/** Bytes as a file writes them: a text, or one byte so many times. */
private fun bytes(value: JsonElement?): ByteArray =
    value.text?.toByteArray() ?: ByteArray(value.field("len").number().toInt()) { value.field("fill").number().toByte() }

private fun JsonElement?.number(): Long = checkNotNull(whole) { "$this is no whole number" }

/** What the verbs do, and what expectations mean. */
private class Run(private val subject: Subject) {
    val saved = HashMap<String, Any?>()
    private var host: Host = subject.open()
    private var readings: List<ClockReading> = listOf()

    /** Does the verb of [step] and gives what came out. */
    fun perform(step: JsonElement): Any? {
        fun named(name: String): Any? = saved[step.field(name).text]

        fun role(): Role = if (step.field("role").text == "device") Role.DEVICE else Role.AUTHORIZATION
        return when (val verb = step.field("do").text) {
            "keys.create" -> host.keys.create(role())
            "keys.info" -> host.keys.info(role())
            "keys.sign" -> host.keys.sign(bytes(step.field("message")))
            "keys.delete" -> host.keys.delete(role())
            "authorize" -> subject.authorize(host, bytes(step.field("message")))
            "verify" -> verifies(named("key"), bytes(step.field("message")), named("signature"))
            "secrets.id" -> host.secrets.id()
            "secrets.renew" -> host.secrets.renew()
            "secrets.retire" -> host.secrets.retire()
            "secrets.seal" -> host.secrets.seal(bytes(step.field("plain")))
            "secrets.unseal" -> host.secrets.unseal(named("sealed") as ByteArray)
            "secrets.unseal-damaged" -> damaged(named("sealed") as ByteArray).count(::opens).toLong()
            "clock.read" -> {
                readings = List((step.field("times").whole ?: 1).toInt()) { host.clock.read() }
                readings.last()
            }
            "pause" -> Thread.sleep(step.field("ms").number())
            "reopen" -> host = subject.open()
            else -> error("no verb is $verb")
        }
    }

    /** Whether [given] is what the expectation [name] says. */
    fun met(name: String, value: JsonElement, given: Any?): Boolean =
        when (name) {
            "error" -> false
            "same" -> isSame(given, saved[value.text])
            "differs" -> !isSame(given, saved[value.text], ofKeysOnlyTheSpki = true)
            "valid" -> given == value.flag
            "none" -> given == null
            "random_install" -> given is SealName && given.install.size == 16 && given.install.any { it != 0.toByte() }
            "follows" -> follows(given, saved[value.text])
            "bytes" -> (given as ByteArray).contentEquals(bytes(value))
            "lacks" -> !contains(given as ByteArray, bytes(value))
            "opened" -> given == value.whole
            "wall_ms" -> readings.all { within(it.wall.toEpochMilli(), value) }
            "elapsed_ms" -> {
                val since = saved[value.field("since").text] as ClockReading
                readings.all { within(it.elapsedMs - since.elapsedMs, value) }
            }
            "rising" -> readings.zipWithNext().all { (before, after) -> after.elapsedMs >= before.elapsedMs }
            "boot" -> readings.all { it.bootId.contentEquals((saved[value.text] as ClockReading).bootId) }
            else -> error("no expectation is $name")
        }

    private fun isSame(one: Any?, other: Any?, ofKeysOnlyTheSpki: Boolean = false): Boolean =
        when {
            one is ByteArray && other is ByteArray -> one.contentEquals(other)
            one is SealName && other is SealName ->
                one.install.contentEquals(other.install) && one.generation == other.generation
            one is HostKey && other is HostKey ->
                one.spki.contentEquals(other.spki) && (ofKeysOnlyTheSpki || one.hardware == other.hardware)
            else -> false
        }

    private fun follows(one: Any?, other: Any?): Boolean =
        one is SealName && other is SealName && one.install.contentEquals(other.install) &&
            one.generation == other.generation + 1

    private fun within(number: Long, bounds: JsonElement): Boolean =
        number >= bounds.field("from").number() && number < bounds.field("below").number()

    private fun contains(all: ByteArray, part: ByteArray): Boolean =
        (0..all.size - part.size).any { at -> part.indices.all { all[at + it] == part[it] } }

    private fun damaged(sealed: ByteArray): List<ByteArray> {
        val turned = sealed.indices.map { at -> sealed.copyOf().also { it[at] = (it[at].toInt() xor 1).toByte() } }
        return turned + sealed.indices.map(sealed::copyOf) + listOf(sealed + 0)
    }

    private fun opens(sealed: ByteArray): Boolean =
        try {
            host.secrets.unseal(sealed)
            true
        } catch (_: HostException) {
            false
        }

    private fun verifies(key: Any?, message: ByteArray, signature: Any?): Boolean =
        try {
            val public = KeyFactory.getInstance("EC").generatePublic(X509EncodedKeySpec((key as HostKey).spki))
            Signature.getInstance("SHA256withECDSA").run {
                initVerify(public)
                update(message)
                verify(signature as ByteArray)
            }
        } catch (_: GeneralSecurityException) {
            false
        }
}
