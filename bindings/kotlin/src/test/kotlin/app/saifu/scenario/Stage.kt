package app.saifu.scenario

import app.saifu.Config
import app.saifu.Host
import app.saifu.Wallet
import app.saifu.WalletEvent
import app.saifu.closeQuietly
import app.saifu.events
import app.saifu.flag
import app.saifu.host.JvmClock
import app.saifu.host.JvmHost
import app.saifu.openWallet
import app.saifu.text
import app.saifu.whole
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import java.nio.file.Path
import java.util.Base64

/** The configuration of a wallet in [folder] for the issuer that a world began. */
fun config(begun: JsonObject, folder: Path): Config {
    val told = begun["issuer"] as JsonObject
    val bytes = { text: String? -> Base64.getDecoder().decode(checkNotNull(text)) }
    return Config(
        folder = folder.toString(),
        appVersion = "0.1.0",
        customerUrl = checkNotNull(told["customer_url"].text),
        serviceUrl = checkNotNull(told["service_url"].text),
        caPem = told["ca_pem"].text,
        pins = (told["pins"] as JsonArray).map { bytes(it.text) },
        serviceKey = bytes(told["service_key"].text),
        sandbox = told["sandbox"].flag == true,
    )
}

/** Where one scenario is played: a world, and a wallet of this package for each persona. */
class Stage(val world: World, policy: JsonObject, private val scope: CoroutineScope) {
    val begun = world.begin(policy)
    val folder: Path = Path.of(checkNotNull(begun["folder"].text))

    /** Every persona's clock, ahead like the sandbox's. */
    private val clock = JvmClock().apply { offsetMs = begun["offset_ms"].whole ?: 0 }
    private val people = HashMap<String, Person>()

    /** A persona with its wallet, which is null while it is killed. */
    class Person(val number: String, val folder: Path, val host: JvmHost, val platform: Host) {
        var wallet: Wallet? = null
        var events: Channel<WalletEvent>? = null
        var following: Job? = null
    }

    /** A persona with a wallet of its own that nobody has signed up in. What its wallet sees of its host goes through [seen]. */
    suspend fun add(name: String, number: String, seen: (Host) -> Host = { it }): Wallet {
        val home = folder.resolve("wallets").resolve(name)
        val host = JvmHost(home.resolve("host"), clock)
        people[name] = Person(number, home, host, seen(host.platform()))
        return open(name)
    }

    suspend fun open(name: String): Wallet {
        val person = person(name)
        if (person.wallet != null) throw Broken("the wallet of $name is open")
        val config = config(begun, person.folder.resolve("vault"))
        return openWallet(person.platform, config).also { person.wallet = it }
    }

    /** Ends a persona's wallet. Everything it knows is on the disk already, so this is what a kill leaves. */
    suspend fun kill(name: String) {
        val person = person(name)
        person.following?.cancel()
        person.events = null
        wallet(name).closeQuietly()
        person.wallet = null
    }

    fun person(name: String): Person = people[name] ?: throw Broken("no persona is $name")

    fun wallet(name: String): Wallet = person(name).wallet ?: throw Broken("the wallet of $name is not open; reopen it first")

    /** Subscribes before it returns, so that no event that comes from now on is missed. */
    fun listen(name: String) {
        val person = person(name)
        val events = Channel<WalletEvent>(Channel.UNLIMITED)
        person.following?.cancel()
        person.following = scope.launch(Dispatchers.Unconfined, CoroutineStart.UNDISPATCHED) {
            wallet(name).events().collect(events::send)
            events.close()
        }
        person.events = events
    }

    /** Does what no wallet does; the clocks here follow the sandbox's. */
    fun perform(verb: String, actor: String?, arguments: JsonObject): JsonObject {
        val number = actor?.let { people[it]?.number }
        val outcome = world.perform(verb, actor, number, arguments)
        if (verb == "sandbox.clock") outcome["offset_ms"].whole?.let { clock.offsetMs = it }
        return outcome
    }

    /** Lets so much time pass everywhere, in whole seconds. */
    fun advance(ms: Long) {
        clock.offsetMs = world.advance((ms + 999) / 1_000)
    }

    /** Ends everything and gives what the books say. */
    suspend fun end(keep: Boolean): JsonObject? {
        for (person in people.values) {
            person.following?.cancel()
            person.wallet?.closeQuietly()
        }
        return world.end(keep)
    }
}
