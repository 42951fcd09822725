package app.saifu.conformance

import app.saifu.ClockReading
import app.saifu.Host
import app.saifu.HostException
import app.saifu.HostKey
import app.saifu.SealName
import app.saifu.flag
import app.saifu.text
import app.saifu.whole
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import java.security.GeneralSecurityException
import java.security.KeyFactory
import java.security.Signature
import java.security.spec.X509EncodedKeySpec

/** What the verbs do, and what expectations mean. */
internal class Calls(private val subject: Subject) {
    val saved = HashMap<String, Any?>()
    private var host: Host = subject.open()
    private var readings: List<ClockReading> = listOf()

    /** Does [verb] and gives what came out. */
    fun perform(verb: String, arguments: Map<String, JsonElement>): Any? {
        fun bytes(name: String): ByteArray = checkNotNull(bytesOrNull(arguments[name]))

        fun named(name: String): Any? = saved[arguments[name].text]
        return when (verb) {
            "keys.create" -> host.keys.create(role(arguments["role"]))
            "keys.info" -> host.keys.info(role(arguments["role"]))
            "keys.sign" -> host.keys.sign(bytes("message"))
            "keys.delete" -> host.keys.delete(role(arguments["role"]))
            "authorize" -> subject.authorize(host, bytes("message"))
            "verify" -> verifies(named("key"), bytes("message"), named("signature"))
            "secrets.id" -> host.secrets.id()
            "secrets.renew" -> host.secrets.renew()
            "secrets.retire" -> host.secrets.retire()
            "secrets.seal" -> host.secrets.seal(bytes("plain"))
            "secrets.unseal" -> host.secrets.unseal(named("sealed") as ByteArray)
            "secrets.unseal-damaged" -> damaged(named("sealed") as ByteArray).count(::opens).toLong()
            "clock.read" -> {
                readings = List((arguments["times"].whole ?: 1).toInt()) { host.clock.read() }
                readings.last()
            }
            "pause" -> subject.pause(checkNotNull(arguments["ms"].whole))
            "reopen" -> host = subject.open()
            else -> error("no verb is $verb")
        }
    }

    /** Whether [given] is all that [expect] says. */
    fun met(given: Any?, expect: JsonObject?, arguments: Map<String, JsonElement>): Boolean =
        expect == null || expect.all { (name, value) -> met(name, value, given, arguments) }

    private fun met(name: String, value: JsonElement, given: Any?, arguments: Map<String, JsonElement>): Boolean =
        when (name) {
            "error" -> false
            "same" -> isSame(given, saved[value.text])
            "differs" -> !isSame(given, saved[value.text], ofKeysOnlyTheSpki = true)
            "valid" -> given == value.flag
            "none" -> given == null
            "random_install" -> given is SealName && given.install.size == 16 && given.install.any { it != 0.toByte() }
            "follows" -> follows(given, saved[value.text])
            "bytes" -> (given as ByteArray).contentEquals(bytesOrNull(value))
            "lacks" -> !contains(given as ByteArray, checkNotNull(bytesOrNull(value)))
            "opened" -> given == value.whole
            "wall_ms" -> readings.all { within(it.wall.toEpochMilli(), value as JsonObject) }
            "elapsed_ms" -> {
                val since = saved[(value as JsonObject)["since"].text] as ClockReading
                readings.all { within(it.elapsedMs - since.elapsedMs, value) }
            }
            "rising" -> readings.zipWithNext().all { (before, after) -> after.elapsedMs >= before.elapsedMs }
            "boot" -> readings.all { it.bootId.contentEquals((saved[value.text] as ClockReading).bootId) }
            else -> error("no expectation is $name of $arguments")
        }

    private fun isSame(one: Any?, other: Any?, ofKeysOnlyTheSpki: Boolean = false): Boolean =
        when {
            one is ByteArray && other is ByteArray -> one.contentEquals(other)
            one is SealName && other is SealName -> same(one, other)
            one is HostKey && other is HostKey ->
                if (ofKeysOnlyTheSpki) one.spki.contentEquals(other.spki) else same(one, other)
            else -> false
        }

    private fun follows(one: Any?, other: Any?): Boolean =
        one is SealName && other is SealName && one.install.contentEquals(other.install) &&
            one.generation == other.generation + 1

    private fun within(number: Long, bounds: JsonObject): Boolean =
        number >= checkNotNull(bounds["from"].whole) && number < checkNotNull(bounds["below"].whole)

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
