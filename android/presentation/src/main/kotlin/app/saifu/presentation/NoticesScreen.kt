package app.saifu.presentation

import app.saifu.Notice
import app.saifu.NoticeKind
import app.saifu.Wallet
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch

/** What the issuer tells its customer, newest first. */
data class NoticesState(val rows: List<NoticeRow>, val note: Text?)

/** One notice: what it is about, when, and the issuer's own words. */
data class NoticeRow(val about: Text, val at: Text, val words: String)

sealed interface NoticesIntent {
    data object Look : NoticesIntent
}

class NoticesStore(
    private val wallet: Wallet,
    scope: CoroutineScope,
) : Store<NoticesState, NoticesIntent>(look(wallet), scope) {
    init {
        scope.launch { wallet.events().collect { send(NoticesIntent.Look) } }
    }

    override fun handle(state: NoticesState, intent: NoticesIntent): NoticesState = look(wallet)

    private companion object {
        fun look(wallet: Wallet): NoticesState {
            val rows = wallet.home().notices.map(::row)
            return NoticesState(rows, if (rows.isEmpty()) Text("label_notices_none") else null)
        }

        fun row(notice: Notice): NoticeRow =
            NoticeRow(Text(about(notice.kind)), Text("label_at", Argument.Moment(notice.at)), notice.text)

        fun about(kind: NoticeKind): String =
            when (kind) {
                NoticeKind.SECURITY -> "notice_security"
                NoticeKind.MONEY -> "notice_money"
                NoticeKind.SERVICE -> "notice_service"
                NoticeKind.OTHER -> "notice_other"
            }
    }
}
