package app.saifu.presentation

import java.text.NumberFormat
import java.time.Clock
import java.time.Duration
import java.time.Instant
import java.time.ZonedDateTime
import java.time.format.DateTimeFormatter
import java.util.Locale
import kotlin.math.abs

private val GROUPED: NumberFormat = NumberFormat.getIntegerInstance(Locale.JAPAN)
private val HOUR_AND_MINUTE: DateTimeFormatter = DateTimeFormatter.ofPattern("H:mm", Locale.JAPAN)
private val PLACE = Regex("""\{(\d)\}""")
private const val MINUS = "−"

/** Makes words of texts, in one language and in the time zone of [clock]. */
class Say(val words: Words, private val clock: Clock) {
    val language: Language get() = words.language

    fun text(text: Text): String {
        val count = text.arguments.firstNotNullOfOrNull { (it as? Argument.Count)?.count }
        return fill(words.of(text.key, count), text.arguments.map(::argument))
    }

    /** `¥1,280`; a minus stands before the sign. */
    fun yen(yen: Long): String = if (yen < 0) MINUS + yen(-yen) else "¥${grouped(yen)}"

    /** The figures alone, for a sign of its own size. */
    fun grouped(figure: Long): String = GROUPED.format(figure)

    /** `+¥5,000` and `−¥1,280`, for lines of the history. */
    fun signed(yen: Long): String = if (yen > 0) "+${yen(yen)}" else yen(yen)

    /** An amount as a screen reader says it: 1,280円. */
    fun money(yen: Long): String = text(Text("a11y_yen", Argument.Count(yen)))

    /** Money that moved, as a screen reader says it: 入金 5,000円. */
    fun moved(yen: Long): String =
        text(Text(if (yen > 0) "a11y_money_in" else "a11y_money_out", Argument.Name(money(abs(yen)))))

    /** Digits in groups, read one by one. */
    fun spelt(digits: List<String>): String =
        text(Text("a11y_digits", Argument.Name(digits.joinToString(" ") { it.toList().joinToString(" ") })))

    private fun argument(argument: Argument): String =
        when (argument) {
            is Argument.Yen -> yen(argument.yen)
            is Argument.Count -> grouped(argument.count)
            is Argument.Span -> span(argument.span)
            is Argument.Moment -> moment(argument.at)
            is Argument.Phone -> phone(argument.number.expose())
            is Argument.Name -> argument.name
        }

    private fun span(span: Duration): String {
        val (key, count) = when {
            span.toDays() > 0 -> "span_days" to span.toDays()
            span.toHours() > 0 -> "span_hours" to span.toHours()
            span.toMinutes() > 0 -> "span_minutes" to span.toMinutes()
            else -> "span_seconds" to span.toSeconds()
        }
        return text(Text(key, Argument.Count(count)))
    }

    private fun moment(at: Instant): String {
        val (there, today) = at.atZone(clock.zone) to clock.instant().atZone(clock.zone).toLocalDate()
        val key = when {
            there.toLocalDate() == today -> "time_today"
            there.toLocalDate() == today.minusDays(1) -> "time_yesterday"
            there.year == today.year -> "time_day"
            else -> "time_year"
        }
        return fill(words.of(key, null), parts(there))
    }

    /** Hour, month, day, year: the words take what they need. */
    private fun parts(at: ZonedDateTime): List<String> =
        listOf(HOUR_AND_MINUTE.format(at), at.monthValue.toString(), at.dayOfMonth.toString(), at.year.toString())

    companion object {
        /** `090-1234-5678` of `+819012345678`; anything else stays as it is. */
        fun phone(number: String): String {
            val national = number.removePrefix("+81").takeIf { it != number && it.length == NATIONAL } ?: return number
            return "0${national.take(2)}-${national.substring(2, 6)}-${national.substring(6)}"
        }

        private const val NATIONAL = 10

        /** Puts the arguments into their numbered places, each once: what an argument says is never read again. */
        fun fill(words: String, arguments: List<String>): String =
            PLACE.replace(words) { arguments[it.groupValues[1].toInt()] }
    }
}
