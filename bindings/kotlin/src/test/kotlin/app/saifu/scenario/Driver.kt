package app.saifu.scenario

import app.saifu.Approval
import app.saifu.HostException
import app.saifu.Wallet
import app.saifu.WalletEvent
import app.saifu.WalletException
import app.saifu.json
import app.saifu.jsonObject
import app.saifu.openWallet
import app.saifu.test.TestClock
import app.saifu.test.TestHost
import app.saifu.test.sandboxConfig
import app.saifu.text
import app.saifu.whole
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import java.nio.file.Path
import kotlin.system.exitProcess

/** Why a verb cannot be done at all: no step of a scenario may expect that. */
class Broken(why: String) : Exception(why)

/** One phone of a scenario: a wallet of this package over a host whose keys lie in files, so that the next process finds them. */
class Phone(folder: Path, private val issuer: JsonObject, clock: TestClock) {
    private val vault: Path = folder.resolve("vault")
    private val host = TestHost(folder.resolve("host"), clock)
    private var following: Job? = null
    val keys = FailingKeys(host.keys)
    lateinit var wallet: Wallet

    /** What has come since the wallet follows. */
    var events: Channel<WalletEvent>? = null

    /** A top-up that waits for its owner. */
    var approval: Approval? = null

    suspend fun open() {
        wallet = openWallet(host.platform().copy(keys = keys), sandboxConfig(issuer, vault))
    }

    /** Subscribes before it returns, so that no event that comes from now on is missed. */
    fun listen(scope: CoroutineScope) {
        val arrived = Channel<WalletEvent>(Channel.UNLIMITED)
        following?.cancel()
        following = scope.launch(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
            wallet.events().collect(arrived::send)
            arrived.close()
        }
        events = arrived
    }
}

/** Answers what `saifu scenario run` asks, a JSON line for a JSON line, as `docs/scenarios.md` says. */
private class Driver(private val scope: CoroutineScope) {
    private val clock = TestClock()
    private var phone: Phone? = null

    suspend fun answer(line: String): JsonObject {
        val request = Json.parseToJsonElement(line) as JsonObject
        val end: Pair<String, Any?> = try {
            "outcome" to outcome(request["verb"].text.orEmpty(), request["arguments"] as? JsonObject ?: JsonObject(mapOf()))
        } catch (error: WalletException) {
            "error" to refusal(error.info)
        } catch (failure: HostException) {
            "error" to refusal("key", "The phone's key store does not sign.", failure.wireName)
        } catch (refused: Refused) {
            "error" to refused.document
        } catch (broken: Broken) {
            "broken" to broken.message
        }
        return jsonObject("id" to request["id"], end)
    }

    private suspend fun outcome(verb: String, arguments: JsonObject): JsonObject =
        when (verb) {
            "driver.clock" -> set(arguments)
            "wallet.open" -> {
                set(arguments["clock"])
                val folder = Path.of(arguments["folder"].text ?: throw Broken("`folder` is no text"))
                val opened = Phone(folder, arguments["issuer"] as? JsonObject ?: throw Broken("`issuer` is no object"), clock)
                opened.open()
                phone = opened
                jsonObject("state" to opened.wallet.home().state)
            }
            else -> (phone ?: throw Broken("no wallet is open here")).perform(verb, arguments, scope)
        }

    private fun set(told: JsonElement?): JsonObject {
        clock.offsetMs = (told as? JsonObject)?.get("offset_ms").whole ?: 0
        clock.heldAtMs = (told as? JsonObject)?.get("held_at").whole
        return jsonObject()
    }
}

/** The process: it ends with its stdin. */
fun main(): Unit =
    runBlocking(Dispatchers.Default) {
        val driver = Driver(this)
        for (line in generateSequence(::readlnOrNull)) println(driver.answer(line))
        exitProcess(0)
    }
