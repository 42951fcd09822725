package app.saifu

import app.saifu.scenario.FailingKeys
import app.saifu.test.TestClock
import app.saifu.test.TestHost
import app.saifu.test.sandboxConfig
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import java.nio.file.Path
import kotlin.io.path.createTempDirectory
import kotlin.io.path.writeText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** A `saifu sandbox` with [policy] and a folder of its own, and a wallet of this package for each person in it. */
class Stage(policy: JsonObject) {
    val folder: Path = createTempDirectory("saifu-kotlin-")
    private val issuer: Process

    /** What the issuer says of itself. */
    val sandbox: Path = folder.resolve("sandbox/sandbox.json")

    /** Everybody's clock, ahead like the sandbox's. */
    val clock = TestClock()
    private val people = HashMap<String, Person>()

    init {
        val limits = folder.resolve("policy.json").apply { writeText("$policy") }
        issuer = command("sandbox", "--data", "${sandbox.parent}", "--policy", "$limits").start()
        // It says where it is once it answers.
        checkNotNull(issuer.inputReader().readLine()) { "the sandbox did not start" }
    }

    /** A person with a wallet, which is null while it is killed. */
    class Person(val number: String, val folder: Path, val keys: FailingKeys, val platform: Host) {
        val vault: Path = folder.resolve("vault")
        var wallet: Wallet? = null
    }

    /** The configuration of a wallet in [folder] for this issuer. */
    fun config(folder: Path): Config = sandboxConfig(sandbox, folder)

    /** Somebody with a wallet that nobody has signed up in. What the wallet sees of its host goes through [seen]. */
    suspend fun add(name: String, number: String, seen: (Host) -> Host = { it }): Wallet {
        val home = folder.resolve("wallets").resolve(name)
        val host = TestHost(home.resolve("host"), clock)
        val keys = FailingKeys(host.keys)
        people[name] = Person(number, home, keys, seen(host.platform().copy(keys = keys)))
        return open(name)
    }

    /** The same, signed up, and topped up at an ATM with so much. */
    suspend fun starter(name: String, number: String, balanceYen: Long? = null, seen: (Host) -> Host = { it }): Wallet {
        val wallet = add(name, number, seen)
        wallet.account().signUp(number)
        wallet.account().confirm(newestCode(name))
        if (balanceYen != null) {
            val approval = wallet.topUps().prepareAtm(balanceYen)
            deposit(wallet, approval.confirm(person(name).keys.authorize(approval.signingBytes())).number, balanceYen)
            advance(61.seconds)
        }
        wallet.refresh()
        return wallet
    }

    suspend fun open(name: String): Wallet = person(name).run { openWallet(platform, config(vault)).also { wallet = it } }

    /** Closes a wallet: everything it knows is on the disk already. */
    suspend fun kill(name: String) {
        wallet(name).close()
        person(name).wallet = null
    }

    fun person(name: String): Person = people.getValue(name)

    fun wallet(name: String): Wallet = checkNotNull(person(name).wallet) { "the wallet of $name is not open" }

    /** The newest code that arrived at somebody's number. */
    fun newestCode(name: String): String {
        val messages = saifu("sandbox", "sms", "--number", person(name).number)["messages"] as JsonArray
        return messages.reversed().firstNotNullOf { (it as JsonObject)["code"].text }
    }

    /** Brings the cash of a top-up to an ATM. */
    fun deposit(wallet: Wallet, number: Sensitive?, yen: Long) {
        val totp = wallet.account().totp().code.expose()
        saifu("atm", "deposit", "--number", checkNotNull(number).expose(), "--totp", totp, "--yen", "$yen")
    }

    /** Shows a payment code at a register. */
    fun scan(code: PaymentCode, yen: Long) {
        saifu("register", "scan", "--digits", code.digits.expose(), "--yen", "$yen")
    }

    /** Lets so much time pass everywhere. */
    fun advance(by: Duration) {
        clock.offsetMs = checkNotNull(saifu("sandbox", "clock", "+${by.inWholeSeconds}s")["offset_ms"].whole)
    }

    /** Ends everything; what the terminals were told must be what the ledger says. */
    suspend fun end() {
        for (person in people.values) person.wallet?.close()
        val day = saifu("sandbox", "event", "day-end", "--because", "requested")["day_end"] as JsonObject
        check(day["ok"].flag == true) { "the books do not balance: $day" }
    }

    /** Ends the sandbox, whatever happened. */
    fun close() {
        issuer.destroyForcibly().waitFor()
        folder.toFile().deleteRecursively()
    }

    private fun saifu(vararg words: String): JsonObject {
        val process = command(*words).start()
        val told = process.inputReader().readText()
        check(process.waitFor() == 0) { "saifu ${words.joinToString(" ")}: $told" }
        return Json.parseToJsonElement(told) as JsonObject
    }

    private fun command(vararg words: String): ProcessBuilder =
        ProcessBuilder(System.getProperty("saifu.command"), "--json", *words).apply {
            environment() += mapOf("SAIFU_HOME" to "$folder", "SAIFU_SANDBOX" to "$sandbox")
            redirectError(ProcessBuilder.Redirect.DISCARD)
        }
}
