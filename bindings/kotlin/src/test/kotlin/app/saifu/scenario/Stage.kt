package app.saifu.scenario

import app.saifu.Config
import app.saifu.Host
import app.saifu.Wallet
import app.saifu.WalletEvent
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
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.serialization.json.JsonObject
import java.nio.file.Path
import java.time.Duration
import kotlin.experimental.inv
import kotlin.io.path.readBytes
import kotlin.io.path.writeBytes

/** The configuration of a wallet in [folder] for the issuer that a world began. */
fun config(begun: JsonObject, folder: Path): Config = sandboxConfig(begun["issuer"] as JsonObject, folder)

/** The file that every change of a wallet is written to. */
private const val JOURNAL = "journal"

/** Longer than any scenario: a wallet that stands for a dead one asks nobody again. */
private val FOR_EVER = Duration.ofHours(1)

/** How often it is looked whether the issuer holds a request by now. */
private const val HELD_PAUSE_MS = 5L

/** Where one scenario is played: a world, and a wallet of this package for each persona. */
class Stage(val world: World, policy: JsonObject, private val scope: CoroutineScope) {
    val begun = world.begin(policy)
    val folder: Path = Path.of(checkNotNull(begun["folder"].text))

    /** Every persona's clock, ahead like the sandbox's. */
    val clock = TestClock().apply { offsetMs = begun["offset_ms"].whole ?: 0 }
    private val people = HashMap<String, Person>()

    /** Wallets that were killed in the middle of a call, which goes on in this process until its connection ends. */
    private val ghosts = ArrayList<Wallet>()

    /** A persona with its wallet, which is null while it is killed. */
    class Person(val number: String, val folder: Path, val keys: FailingKeys, val platform: Host) {
        var vault: Path = folder.resolve("vault")
        var wallet: Wallet? = null
        var events: Channel<WalletEvent>? = null
        var following: Job? = null
    }

    /** A persona with a wallet of its own that nobody has signed up in. What its wallet sees of its host goes through [seen]. */
    suspend fun add(name: String, number: String, seen: (Host) -> Host = { it }): Wallet {
        val home = folder.resolve("wallets").resolve(name)
        val host = TestHost(home.resolve("host"), clock)
        val keys = FailingKeys(host.keys)
        people[name] = Person(number, home, keys, seen(host.platform().copy(keys = keys)))
        return open(name)
    }

    suspend fun open(name: String): Wallet {
        val person = person(name)
        if (person.wallet != null) throw Broken("the wallet of $name is open")
        return openWallet(person.platform, config(begun, person.vault)).also { person.wallet = it }
    }

    /** Ends a persona's wallet. Everything it knows is on the disk already, so this is what a kill leaves. */
    suspend fun kill(name: String) {
        detach(name).close()
    }

    /**
     * Ends a persona's wallet in the middle of [call], as soon as the issuer holds a request of it. Work that has begun
     * cannot be stopped in this process; so the persona goes on with a copy of the files as they are at that moment, which
     * is what a kill leaves.
     */
    suspend fun killDuring(name: String, call: suspend () -> Unit): Unit =
        coroutineScope {
            wallet(name).setPatience(FOR_EVER)
            val begun = async { runCatching { call() } }
            while (world.held() == 0L) {
                if (begun.isCompleted) {
                    val why = (begun.await().exceptionOrNull() as? Broken)?.message ?: "the call ended"
                    throw Broken("$why before the issuer held it")
                }
                delay(HELD_PAUSE_MS)
            }
            val person = person(name)
            ghosts += detach(name)
            val copy = person.folder.resolve("vault-${ghosts.size + 1}")
            person.vault.toFile().copyRecursively(copy.toFile())
            person.vault = copy
            begun.cancel()
        }

    /** Takes a persona's wallet away from it. */
    private fun detach(name: String): Wallet {
        val person = person(name)
        val wallet = wallet(name)
        person.following?.cancel()
        person.events = null
        person.wallet = null
        return wallet
    }

    /** Flips all bits of the byte in the middle of a killed wallet's journal, and gives the file's name. */
    fun damage(name: String): String {
        val person = person(name)
        if (person.wallet != null) throw Broken("the wallet of $name is open; kill it first")
        val file = person.vault.resolve(JOURNAL)
        val bytes = file.readBytes()
        val middle = bytes.size / 2
        bytes[middle] = bytes[middle].inv()
        file.writeBytes(bytes)
        return JOURNAL
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

    /** Lets so much time pass everywhere; whole seconds, as in every scenario. */
    fun advance(by: kotlin.time.Duration) {
        clock.offsetMs = world.advance(by)
    }

    /** Ends everything and gives what the books say. */
    suspend fun end(keep: Boolean): JsonObject? {
        for (person in people.values) {
            person.following?.cancel()
            person.wallet?.close()
        }
        val books = world.end(keep)
        // Only now: with the issuer their connections have ended, and nothing is waited for.
        ghosts.forEach { it.close() }
        return books
    }
}
