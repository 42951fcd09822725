package app.saifu.scenario

import app.saifu.Approval
import app.saifu.ErrorInfo
import app.saifu.Following
import app.saifu.HistoryEntry
import app.saifu.HomeScreen
import app.saifu.HostException
import app.saifu.IntentDetail
import app.saifu.PendingEntry
import app.saifu.PendingWhat
import app.saifu.Purpose
import app.saifu.WalletEvent
import app.saifu.WalletException
import app.saifu.flag
import app.saifu.jsonObject
import app.saifu.scenario.wireName
import app.saifu.text
import app.saifu.whole
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.channels.ClosedReceiveChannelException
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import java.time.Duration
import java.time.Instant
import kotlin.time.Duration.Companion.seconds

/** How long a history may be filled after the connection, and how often it is looked. */
private val FILLED_BOUND = 5.seconds
private const val LOOK_MS = 5L

/** How long the machine may take to bring an event that is on its way. */
private val EVENT_BOUND = 20.seconds

/** Does a `wallet.` verb with the wallet of [who], through the bindings. A refusal is an outcome too. */
suspend fun Stage.performWallet(verb: String, who: String, arguments: JsonObject): JsonObject =
    try {
        if (arguments["killed"].flag == true) {
            killDuring(who) { walletVerb(verb, who, arguments) }
            jsonObject("state" to "killed")
        } else {
            walletVerb(verb, who, arguments)
        }
    } catch (error: WalletException) {
        refusal(error.info)
    } catch (failure: HostException) {
        refusal("key", "The phone's key store does not sign.", failure.wireName)
    }

private suspend fun Stage.walletVerb(verb: String, who: String, arguments: JsonObject): JsonObject =
    when (verb) {
        "wallet.kill" -> {
            kill(who)
            jsonObject("state" to "killed")
        }
        "wallet.reopen" -> jsonObject("state" to open(who).home().state)
        "wallet.sign-up" -> wallet(who).account().let { account ->
            val screen = account.signUp(person(who).number)
            jsonObject("number" to screen.number, "expires_at" to screen.expiresAt, "resend_at" to screen.resendAt)
        }
        "wallet.confirm" -> confirm(who, arguments["code"])
        "wallet.home" -> home(wallet(who).home())
        "wallet.refresh" -> home(wallet(who).refresh())
        "wallet.code" -> code(who, arguments)
        "wallet.top-up" -> topUp(who, arguments)
        "wallet.pending" -> list(wallet(who).topUps().pending().map(::pending))
        "wallet.history" -> list(wallet(who).history().newest(Int.MAX_VALUE).entries.map(::entry))
        "wallet.totp" -> wallet(who).account().let { account ->
            account.totp().let { jsonObject("code" to it.code, "valid_until" to it.validUntil, "trust" to it.trust) }
        }
        "wallet.follow" -> {
            listen(who)
            wallet(who).follow()
            wallet(who).followed()
            // The history is filled beside it, and what is filled belongs to this step.
            withTimeoutOrNull(FILLED_BOUND) { while (wallet(who).home().historyIncomplete) delay(LOOK_MS) }
            jsonObject("following" to true)
        }
        "wallet.next-event" -> nextEvent(who, arguments["kind"].text)
        "wallet.lock" -> {
            wallet(who).lock()
            jsonObject("state" to "locked")
        }
        "wallet.unlock" -> {
            wallet(who).unlock()
            jsonObject("state" to wallet(who).home().state)
        }
        "wallet.patience" -> {
            val ms = arguments["ms"].whole ?: throw Broken("`ms` is no whole number")
            wallet(who).setPatience(Duration.ofMillis(ms))
            jsonObject("ms" to ms)
        }
        "wallet.key-fails" -> {
            val how = arguments["how"].text ?: throw Broken("`how` is no text")
            val times = arguments["times"].whole ?: 1
            person(who).keys.fail(how, times)
            jsonObject("how" to how, "times" to times)
        }
        "wallet.damage" -> jsonObject("file" to damage(who))
        else -> throw Broken("this runner does not know $verb")
    }

/** Enters the SMS's newest code, or the one given. */
private suspend fun Stage.confirm(who: String, given: JsonElement?): JsonObject {
    val entered = given?.let { it.text ?: it.whole?.toString() } ?: newestCode(who)
    wallet(who).account().let { account ->
        if (account.signUpInProgress() == null) return refusal("no-sign-up", "No sign-up waits for a code here.")
        return jsonObject("device_id" to account.confirm(entered))
    }
}

fun Stage.newestCode(who: String): String {
    val messages = perform("sandbox.sms", who, JsonObject(mapOf()))["messages"] as? JsonArray
    return messages?.reversed()?.firstNotNullOfOrNull { (it as? JsonObject)?.get("code").text }
        ?: throw Broken("there is no code in the inbox")
}

private suspend fun Stage.code(who: String, arguments: JsonObject): JsonObject {
    val purpose = if (arguments["purpose"].text == "cash-in") Purpose.CASH_IN else Purpose.PAY
    val code = wallet(who).codes().let { codes ->
        if (arguments["offline"].flag == true) codes.current(purpose) else codes.next(purpose)
    } ?: return refusal("no-code", "There is no payment code in hand.")
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

private suspend fun Stage.topUp(who: String, arguments: JsonObject): JsonObject {
    val yen = arguments["yen"].whole ?: throw Broken("`yen` is no whole number")
    val thinking = arguments["thinking"].text?.let(::span)
    return wallet(who).topUps().prepareAtm(yen).let { approval: Approval ->
        thinking?.let(::advance)
        val topUp = approval.confirm(person(who).keys.authorize(approval.signingBytes()))
        jsonObject(
            "intent" to topUp.intent,
            "number" to topUp.number,
            "state" to topUp.state,
            "yen" to topUp.yen,
            "since" to topUp.since,
            "expires_at" to topUp.expiresAt,
        )
    }
}

private suspend fun Stage.nextEvent(who: String, kind: String?): JsonObject {
    val events = person(who).events ?: throw Broken("$who follows no events")
    try {
        return withTimeout(EVENT_BOUND) {
            var next: JsonObject
            do next = event(events.receive()) while (kind != null && next["kind"].text != kind)
            next
        }
    } catch (_: TimeoutCancellationException) {
        throw Broken("no such event came within $EVENT_BOUND")
    } catch (_: ClosedReceiveChannelException) {
        throw Broken("the events have ended")
    }
}

/** A refusal as scenarios see it: the issuer's code where it refused, else the wallet's name for it. */
private fun refusal(info: ErrorInfo): JsonObject =
    jsonObject(
        "error" to (info.problem ?: info.name),
        "title" to info.sentence,
        "detail" to info.detail.takeIf { info.problem != null || info.name in listOf("key", "vault") },
        "rule" to info.rule,
        "retry_after_ms" to info.retryAfter,
    )

private fun refusal(error: String, title: String, detail: String? = null): JsonObject =
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
