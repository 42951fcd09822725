package app.saifu.presentation

/** What a thing on a screen is. */
enum class Role { TITLE, TEXT, AMOUNT, FIELD, BUTTON, ROW, NOTICE, PROBLEM, SYMBOL, PROGRESS }

/**
 * One thing on a screen. The list of them, in reading order, is all that a screen says: views show it, screen readers speak it,
 * fixtures pin it, in every language and on both platforms.
 */
data class Item(
    val role: Role,
    val text: String,
    /** What a screen reader says, where it is not the text. */
    val spoken: String = text,
    /** Whether it can be used; what says why not stands right after it. */
    val enabled: Boolean = true,
)

/** Makes the lists. */
class Outline(private val say: Say) {
    fun of(state: NumberState): List<Item> =
        buildList {
            add(item(Role.TITLE, state.title))
            add(item(Role.TEXT, state.why))
            add(Item(Role.FIELD, state.number, words("label_number")))
            problem(state.problem)
            add(button("action_send_code", enabled = !state.busy))
        }

    fun of(state: SmsState): List<Item> =
        buildList {
            add(title("screen_sms"))
            add(item(Role.TEXT, state.sentTo))
            add(Item(Role.FIELD, state.code, words("label_sms")))
            problem(state.problem)
            add(button("action_new_code", enabled = !state.busy && state.againIn == null))
            state.againIn?.let { add(item(Role.TEXT, it)) }
            add(button("action_other_number", enabled = !state.busy))
            add(button("action_confirm", enabled = !state.busy))
        }

    fun of(state: HomeState): List<Item> =
        buildList {
            add(title("app_name"))
            add(button("action_notices"))
            state.notice?.let { add(item(Role.NOTICE, it)) }
            add(Item(Role.TEXT, words("label_balance")))
            state.balance?.let { add(amount(it)) }
            add(item(Role.TEXT, state.updated))
            state.points?.let { add(item(Role.TEXT, it)) }
            add(Item(Role.TEXT, words("label_recent")))
            add(button("action_see_all"))
            state.recentNote?.let { add(item(Role.TEXT, it)) }
            state.recent.forEach { add(row(it)) }
            for (choice in listOf(state.pay, state.topUp, state.totp)) {
                add(Item(Role.BUTTON, say.text(choice.label), enabled = choice.stopped == null))
                (choice.stopped ?: choice.hint)?.let { add(item(Role.TEXT, it)) }
            }
        }

    fun of(state: PayState): List<Item> =
        buildList {
            if (!state.isOver) add(button("action_close"))
            when (state) {
                PayState.Loading -> add(Item(Role.PROGRESS, words("label_loading_code")))
                is PayState.Showing -> showing(state)
                is PayState.Paid -> {
                    add(title("label_paid"))
                    add(amount(-state.yen))
                    state.at?.let { add(item(Role.TEXT, it)) }
                    add(item(Role.TEXT, state.balance))
                    state.points?.let { add(item(Role.TEXT, it)) }
                }
                is PayState.Declined -> {
                    add(title("label_declined"))
                    add(item(Role.PROBLEM, state.reason))
                    add(amount(state.yen))
                    add(item(Role.TEXT, state.at))
                }
                is PayState.Failed -> {
                    problem(state.problem)
                    add(button("action_retry"))
                }
            }
            if (state.isOver) add(button("action_close"))
        }

    fun of(state: LockedState): List<Item> =
        buildList {
            add(title("screen_locked"))
            add(Item(Role.TEXT, words("label_locked_why")))
            problem(state.problem)
            add(button("action_unlock", enabled = !state.busy))
        }

    fun of(state: NoticesState): List<Item> =
        buildList {
            add(button("action_close"))
            add(title("screen_notices"))
            state.note?.let { add(item(Role.TEXT, it)) }
            for (row in state.rows) {
                add(item(Role.TEXT, row.about))
                add(Item(Role.TEXT, row.words))
                add(item(Role.TEXT, row.at))
            }
        }

    fun of(state: TotpState): List<Item> =
        buildList {
            add(button("action_close"))
            add(title("screen_totp"))
            when (state) {
                is TotpState.Showing -> totp(state.totp)
                is TotpState.Failed -> problem(state.problem)
            }
        }

    fun of(state: TopUpState): List<Item> =
        buildList {
            if (state !is TopUpState.Done) {
                add(button("action_close"))
                add(title("screen_top_up"))
            }
            when (state) {
                is TopUpState.Choosing -> {
                    add(amount(state.chosen))
                    state.left?.let { add(item(Role.TEXT, it)) }
                    state.amounts.forEach { add(Item(Role.BUTTON, say.yen(it), say.money(it))) }
                    problem(state.problem)
                    add(Item(Role.TEXT, words("label_top_up_how")))
                    add(button("action_approve", enabled = !state.busy))
                }
                is TopUpState.Waiting -> {
                    add(amount(state.yen))
                    add(Item(Role.TEXT, words("label_atm_number")))
                    add(Item(Role.TEXT, state.number.joinToString(" "), say.spelt(state.number)))
                    add(item(Role.TEXT, state.until))
                    state.totp?.let { totp(it) }
                }
                is TopUpState.Asking -> {
                    add(amount(state.yen))
                    add(Item(Role.PROGRESS, words("label_top_up_asking")))
                }
                is TopUpState.Done -> {
                    add(title("label_topped_up"))
                    add(amount(state.yen))
                    add(item(Role.TEXT, state.balance))
                    add(button("action_close"))
                }
            }
        }

    fun of(state: HistoryState): List<Item> =
        buildList {
            add(button("action_close"))
            val detail = state.detail
            if (detail == null) lines(state) else full(detail)
        }

    private fun MutableList<Item>.lines(state: HistoryState) {
        add(title("screen_history"))
        add(Item(Role.FIELD, state.search, words("label_search")))
        state.note?.let { add(item(Role.TEXT, it)) }
        state.rows.forEach { add(row(it)) }
    }

    private fun MutableList<Item>.full(detail: Detail) {
        add(item(Role.TITLE, detail.row.title))
        add(Item(Role.AMOUNT, say.signed(detail.row.yen), say.moved(detail.row.yen)))
        add(item(Role.TEXT, detail.kind))
        add(item(Role.TEXT, detail.row.at))
        detail.points?.let { add(item(Role.TEXT, it)) }
        add(item(Role.TEXT, detail.id))
    }

    private fun MutableList<Item>.totp(totp: Totp) {
        totp.note?.let { add(item(Role.NOTICE, it)) }
        add(Item(Role.TEXT, words("label_totp")))
        add(Item(Role.TEXT, totp.digits.joinToString(" "), say.spelt(totp.digits)))
        add(item(Role.PROGRESS, totp.holdsFor))
    }

    private fun MutableList<Item>.showing(state: PayState.Showing) {
        state.balance?.let { add(item(Role.TEXT, it)) }
        state.age?.let { add(item(Role.TEXT, it)) }
        state.note?.let { add(item(Role.NOTICE, it)) }
        add(Item(Role.SYMBOL, "", words("a11y_barcode")))
        add(Item(Role.TEXT, state.code.digits.joinToString(" "), say.spelt(state.code.digits)))
        add(Item(Role.SYMBOL, "", words("a11y_qr")))
        add(item(Role.PROGRESS, state.refreshIn))
        add(Item(Role.TEXT, words("label_show_code")))
    }

    private fun MutableList<Item>.problem(problem: Problem?) {
        if (problem == null) return
        add(item(Role.PROBLEM, problem.text))
        problem.retryIn?.let { add(item(Role.TEXT, it)) }
        add(item(Role.TEXT, problem.details))
    }

    /** An amount is read as money, not as figures. */
    private fun amount(yen: Long): Item = Item(Role.AMOUNT, say.yen(yen), say.money(yen))

    private fun row(row: Row): Item {
        val (title, at) = say.text(row.title) to say.text(row.at)
        return Item(Role.ROW, "$title, $at, ${say.signed(row.yen)}", "$title, $at, ${say.moved(row.yen)}")
    }

    private fun button(key: String, enabled: Boolean = true): Item = Item(Role.BUTTON, words(key), enabled = enabled)

    private fun title(key: String): Item = Item(Role.TITLE, words(key))

    private fun item(role: Role, text: Text): Item = Item(role, say.text(text))

    private fun words(key: String): String = say.text(Text(key))
}
