package app.saifu.scenario

import app.saifu.ErrorInfo
import app.saifu.IntentDetail
import app.saifu.PendingEntry
import app.saifu.PendingWhat
import app.saifu.Purpose
import app.saifu.WalletEvent
import app.saifu.fields
import app.saifu.flag
import app.saifu.json
import app.saifu.jsonObject
import app.saifu.kindOf
import app.saifu.text
import app.saifu.whole
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.channels.ClosedReceiveChannelException
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.serialization.json.JsonObject
import java.time.Duration
import kotlin.time.Duration.Companion.seconds

/** How long a history may be filled after the connection, and how often it is looked. */
private val FILLED_BOUND = 5.seconds
private const val LOOK_MS = 5L

/** How long the machine may take to bring an event that is on its way. */
private val EVENT_BOUND = 20.seconds

/** Somebody refused: a document that a step may expect. */
class Refused(val document: JsonObject) : Exception("$document")

/** Does a `wallet.` verb through the bindings and gives its document. */
suspend fun Phone.perform(verb: String, arguments: JsonObject, scope: CoroutineScope): JsonObject =
    when (verb) {
        "wallet.sign-up" -> document(wallet.account().signUp(arguments.needed("number")))
        "wallet.confirm" -> {
            val account = wallet.account()
            if (account.signUpInProgress() == null) throw Refused(refusal("no-sign-up", "No sign-up waits for a code here."))
            jsonObject("device_id" to account.confirm(arguments.needed("code")))
        }
        "wallet.home" -> document(wallet.home())
        "wallet.refresh" -> document(wallet.refresh())
        "wallet.code" -> code(arguments)
        "wallet.prepare-top-up" -> {
            approval = wallet.topUps().prepareAtm(arguments.number("yen"))
            jsonObject()
        }
        "wallet.approve-top-up" -> approve()
        "wallet.pending" -> list(wallet.topUps().pending().map(::pending))
        "wallet.history" -> list(wallet.history().newest(Int.MAX_VALUE).entries.map(::document))
        "wallet.totp" -> document(wallet.account().totp())
        "wallet.follow" -> {
            listen(scope)
            wallet.follow()
            wallet.followed()
            // The history is filled beside it, and what is filled belongs to this step.
            withTimeoutOrNull(FILLED_BOUND) { while (wallet.home().historyIncomplete) delay(LOOK_MS) }
            jsonObject("following" to true)
        }
        "wallet.next-event" -> nextEvent(arguments["kind"].text)
        "wallet.lock" -> {
            wallet.lock()
            jsonObject("state" to "locked")
        }
        "wallet.unlock" -> {
            wallet.unlock()
            jsonObject("state" to wallet.home().state)
        }
        "wallet.patience" -> {
            val ms = arguments.number("ms")
            wallet.setPatience(Duration.ofMillis(ms))
            jsonObject("ms" to ms)
        }
        "wallet.key-fails" -> {
            val (how, times) = arguments.needed("how") to (arguments["times"].whole ?: 1)
            keys.fail(how, times)
            jsonObject("how" to how, "times" to times)
        }
        else -> throw Broken("this driver does not know $verb")
    }

private fun JsonObject.needed(name: String): String = this[name].text ?: throw Broken("`$name` is no text")

private fun JsonObject.number(name: String): Long = this[name].whole ?: throw Broken("`$name` is no whole number")

private suspend fun Phone.code(arguments: JsonObject): JsonObject {
    val purpose = if (arguments["purpose"].text == "cash-in") Purpose.CASH_IN else Purpose.PAY
    val code = wallet.codes().let { codes ->
        if (arguments["offline"].flag == true) codes.current(purpose) else codes.next(purpose)
    } ?: throw Refused(refusal("no-code", "There is no payment code in hand."))
    return JsonObject(fields(code) - setOf("trust", "barcode", "qr"))
}

private suspend fun Phone.approve(): JsonObject {
    val waiting = approval ?: throw Broken("no top-up waits for its owner")
    approval = null
    return document(waiting.confirm(keys.authorize(waiting.signingBytes())))
}

private suspend fun Phone.nextEvent(kind: String?): JsonObject {
    val arrived = events ?: throw Broken("this wallet follows no events")
    try {
        return withTimeout(EVENT_BOUND) {
            var next: WalletEvent
            do next = arrived.receive() while (kind != null && kindOf(next) != kind)
            JsonObject(fields(next) + ("kind" to json(kindOf(next))))
        }
    } catch (_: TimeoutCancellationException) {
        throw Broken("no such event came within $EVENT_BOUND")
    } catch (_: ClosedReceiveChannelException) {
        throw Broken("the events have ended")
    }
}

/** A refusal as scenarios see it: the issuer's code where it refused, else the wallet's name for it. */
fun refusal(info: ErrorInfo): JsonObject =
    jsonObject(
        "error" to (info.problem ?: info.name),
        "title" to info.sentence,
        "detail" to info.detail.takeIf { info.problem != null || info.name in listOf("key", "vault") },
        "rule" to info.rule,
        "retry_after_ms" to info.retryAfter,
    )

fun refusal(error: String, title: String, detail: String? = null): JsonObject =
    jsonObject("error" to error, "title" to title, "detail" to detail, "rule" to null, "retry_after_ms" to null)

private fun list(entries: List<JsonObject>): JsonObject = jsonObject("count" to entries.size, "entries" to entries)

private fun document(record: Any): JsonObject = JsonObject(fields(record))

private fun pending(entry: PendingEntry): JsonObject {
    val detail = when (val what = entry.what) {
        PendingWhat.SignUp -> null
        is PendingWhat.Unknown -> what.detail
        is PendingWhat.Accepted -> what.detail
    }
    val kind = kindOf((entry.what as? PendingWhat.Accepted)?.detail ?: entry.what)
    val topUp = detail as? IntentDetail.TopUp
    return JsonObject(fields(entry) - "what" + jsonObject("kind" to kind, "yen" to topUp?.yen, "number" to topUp?.number))
}
