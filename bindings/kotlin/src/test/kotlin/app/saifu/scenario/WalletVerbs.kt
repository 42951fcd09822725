package app.saifu.scenario

import app.saifu.ErrorInfo
import app.saifu.Following
import app.saifu.HistoryEntry
import app.saifu.HomeScreen
import app.saifu.IntentDetail
import app.saifu.PendingEntry
import app.saifu.PendingWhat
import app.saifu.Purpose
import app.saifu.WalletEvent
import app.saifu.flag
import app.saifu.jsonObject
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
import java.time.Instant
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
        "wallet.sign-up" -> wallet.account().signUp(arguments.needed("number")).let { screen ->
            jsonObject("number" to screen.number, "expires_at" to screen.expiresAt, "resend_at" to screen.resendAt)
        }
        "wallet.confirm" -> {
            val account = wallet.account()
            if (account.signUpInProgress() == null) throw Refused(refusal("no-sign-up", "No sign-up waits for a code here."))
            jsonObject("device_id" to account.confirm(arguments.needed("code")))
        }
        "wallet.home" -> home(wallet.home())
        "wallet.refresh" -> home(wallet.refresh())
        "wallet.code" -> code(arguments)
        "wallet.prepare-top-up" -> {
            approval = wallet.topUps().prepareAtm(arguments.number("yen"))
            jsonObject()
        }
        "wallet.approve-top-up" -> approve()
        "wallet.pending" -> list(wallet.topUps().pending().map(::pending))
        "wallet.history" -> list(wallet.history().newest(Int.MAX_VALUE).entries.map(::entry))
        "wallet.totp" -> wallet.account().totp().let {
            jsonObject("code" to it.code, "valid_until" to it.validUntil, "trust" to it.trust)
        }
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
    return jsonObject(
        "digits" to code.digits,
        "purpose" to code.purpose,
        "cap_yen" to code.capYen,
        "offline" to code.offline,
        "issued_at" to code.issuedAt,
        "refresh_at" to code.refreshAt,
        "expires_at" to code.expiresAt,
    )
}

private suspend fun Phone.approve(): JsonObject {
    val waiting = approval ?: throw Broken("no top-up waits for its owner")
    approval = null
    val topUp = waiting.confirm(keys.authorize(waiting.signingBytes()))
    return jsonObject(
        "intent" to topUp.intent,
        "number" to topUp.number,
        "state" to topUp.state,
        "yen" to topUp.yen,
        "since" to topUp.since,
        "expires_at" to topUp.expiresAt,
    )
}

private suspend fun Phone.nextEvent(kind: String?): JsonObject {
    val arrived = events ?: throw Broken("this wallet follows no events")
    try {
        return withTimeout(EVENT_BOUND) {
            var next: JsonObject
            do next = event(arrived.receive()) while (kind != null && next["kind"].text != kind)
            next
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

private fun home(home: HomeScreen): JsonObject =
    jsonObject(
        "state" to home.state,
        "standing" to home.standing,
        "balance_yen" to home.balanceYen,
        "balance_reason" to home.balanceReason,
        "as_of" to home.asOf,
        "age_ms" to home.age,
        "points" to home.points,
        "notices" to home.notices.map { jsonObject("number" to it.number, "at" to it.at, "kind" to it.kind, "text" to it.text) },
        "frozen" to home.frozen,
        "device_id" to home.deviceId,
        "top_up_left_yen" to home.topUpLeftYen,
        "pay_left_yen" to home.payLeftYen,
        "last_event" to home.lastEvent,
        "way_out" to home.wayOut,
        "put_aside" to home.putAside,
        "trust" to home.trust,
        "history_incomplete" to home.historyIncomplete,
        "following" to name(home.following),
    )

private fun name(following: Following): String =
    when (following) {
        Following.Off -> "off"
        Following.Connecting -> "connecting"
        is Following.Connected -> "connected"
        is Following.Waiting -> "waiting"
        is Following.Ended -> "ended"
    }

private fun pending(entry: PendingEntry): JsonObject {
    val (kind, detail) = when (val what = entry.what) {
        PendingWhat.SignUp -> "sign-up" to null
        is PendingWhat.Unknown -> "unknown" to what.detail
        is PendingWhat.Accepted -> name(what.detail) to what.detail
    }
    val topUp = detail as? IntentDetail.TopUp
    return jsonObject(
        "id" to entry.id,
        "kind" to kind,
        "yen" to topUp?.yen,
        "number" to topUp?.number,
        "since" to entry.since,
        "ends_by" to entry.endsBy,
        "next" to entry.next,
    )
}

private fun name(detail: IntentDetail): String =
    when (detail) {
        is IntentDetail.TopUp -> "top-up"
    }

private fun entry(entry: HistoryEntry): JsonObject =
    jsonObject(
        "id" to entry.id,
        "number" to entry.number,
        "at" to entry.at,
        "kind" to entry.kind,
        "yen" to entry.yen,
        "points" to entry.points,
        "merchant" to entry.merchant,
        "state" to entry.state,
        "original" to entry.original,
        "intent" to entry.intent,
    )

private fun event(event: WalletEvent): JsonObject =
    when (event) {
        is WalletEvent.Entry -> {
            val common = common("entry", event.number, event.at, event.balanceYen, event.points)
            JsonObject(common + jsonObject("entry" to entry(event.entry)))
        }
        is WalletEvent.Declined -> {
            val common = common("declined", event.number, event.at, event.balanceYen, event.points)
            JsonObject(common + jsonObject("reason" to event.reason, "yen" to event.yen, "merchant" to event.merchant))
        }
        is WalletEvent.TopUpExpired -> {
            val common = common("top-up-expired", event.number, event.at, event.balanceYen, event.points)
            JsonObject(common + jsonObject("intent" to event.intent))
        }
        is WalletEvent.Notice -> {
            val common = common("notice", event.number, event.at, event.balanceYen, event.points)
            JsonObject(common + jsonObject("notice" to event.notice, "text" to event.text))
        }
        is WalletEvent.Other -> common("other", event.number, event.at, event.balanceYen, event.points)
    }

private fun common(kind: String, number: Long, at: Instant, balanceYen: Long, points: Long): JsonObject =
    jsonObject("number" to number, "at" to at, "kind" to kind, "balance_yen" to balanceYen, "points" to points)
