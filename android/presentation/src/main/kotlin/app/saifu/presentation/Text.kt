package app.saifu.presentation

import app.saifu.Sensitive
import java.time.Duration
import java.time.Instant

/** What a screen says: a key of `screens/words.json` and what is put into it. Only [Say] makes words of it. */
data class Text(val key: String, val arguments: List<Argument> = listOf()) {
    constructor(key: String, vararg arguments: Argument) : this(key, arguments.toList())
}

/** What is put into a [Text]. It is written as Japan writes it, in both languages. */
sealed interface Argument {
    /** Money: `¥1,280`. */
    data class Yen(val yen: Long) : Argument

    /** A number of things, which English may need a plural for. */
    data class Count(val count: Long) : Argument

    /** How long: the largest unit alone. */
    data class Span(val span: Duration) : Argument

    /** A moment, as seen from today. */
    data class Moment(val at: Instant) : Argument

    /** A phone number, as people write it. */
    data class Phone(val number: Sensitive) : Argument

    /** A name, as it is. */
    data class Name(val name: String) : Argument
}
