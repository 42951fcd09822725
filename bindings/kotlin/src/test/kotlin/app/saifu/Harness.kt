package app.saifu

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.JsonObject
import kotlin.time.Duration.Companion.seconds

/** What may be topped up in a day on a [stage]. */
const val DAY_YEN = 9_000_000L

/** No limit that a test would run into, and one that shows what is held. */
private val GENEROUS = jsonObject(
    "sign_up" to jsonObject("resend_ms" to null, "number_a_day" to null, "prefix_an_hour" to null),
    "standing" to jsonObject("starter_ms" to null, "starter_until_recovery_factor" to false, "software_divisor" to null),
    "top_up" to jsonObject("interval_ms" to null, "an_hour" to null, "day_yen" to DAY_YEN),
)

/** Runs [test] against an issuer of its own, whose books must balance at the end. */
fun stage(policy: JsonObject = GENEROUS, test: suspend Stage.(CoroutineScope) -> Unit): Unit =
    runBlocking(Dispatchers.Default) {
        val stage = Stage(policy)
        try {
            stage.test(this)
            stage.end()
        } finally {
            stage.close()
        }
    }

/** A number of its own for the [index]-th persona. */
fun number(index: Int): String = "090-%04d-%04d".format(1_000 + index / 10_000, index % 10_000)

/** Waits until no work of any wallet goes on any more. */
suspend fun settled() {
    withTimeout(60.seconds) { while (diagnostics().calls != 0L) delay(5) }
}

/** The top-up that this is about. */
val PendingEntry.topUp: IntentDetail.TopUp
    get() = when (val what = what) {
        is PendingWhat.Unknown -> what.detail as IntentDetail.TopUp
        is PendingWhat.Accepted -> what.detail as IntentDetail.TopUp
        PendingWhat.SignUp -> error("a sign-up is no top-up")
    }

/** A host that asks [before] at the beginning of each call, by the call's name, and [after] what it shall answer. */
class Watched(
    private val host: Host,
    private val before: (String) -> Unit,
    private val after: (String, Any?) -> Any? = { _, answer -> answer },
) {
    private fun <T> call(name: String, answer: () -> T): T {
        before(name)
        @Suppress("UNCHECKED_CAST")
        return after(name, answer()) as T
    }

    val keys = object : Keys {
        override fun create(role: Role) = call("keys.create") { host.keys.create(role) }

        override fun info(role: Role) = call("keys.info") { host.keys.info(role) }

        override fun sign(message: ByteArray) = call("keys.sign") { host.keys.sign(message) }

        override fun delete(role: Role) = call("keys.delete") { host.keys.delete(role) }
    }

    val secrets = object : Secrets {
        override fun seal(plain: ByteArray) = call("secrets.seal") { host.secrets.seal(plain) }

        override fun unseal(sealed: ByteArray) = call("secrets.unseal") { host.secrets.unseal(sealed) }

        override fun id() = call("secrets.id") { host.secrets.id() }

        override fun renew() = call("secrets.renew") { host.secrets.renew() }

        override fun retire() = call("secrets.retire") { host.secrets.retire() }
    }

    val clock = object : Clock {
        override fun read() = call("clock.read") { host.clock.read() }
    }

    fun platform(): Host = Host(keys, secrets, clock)

    companion object {
        /** Every call of a host. */
        val CALLS = listOf(
            "keys.create",
            "keys.info",
            "keys.sign",
            "keys.delete",
            "secrets.seal",
            "secrets.unseal",
            "secrets.id",
            "secrets.renew",
            "secrets.retire",
            "clock.read",
        )
    }
}
