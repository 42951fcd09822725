package app.saifu

/**
 * A text that opens something: a code, a number, an address. Printed, it is `…`, and so it is in every record that has one;
 * whoever needs it says so with [expose].
 */
public class Sensitive(private val text: String) {
    /** The text itself: to show it to its owner, never to log it. */
    public fun expose(): String = text

    override fun equals(other: Any?): Boolean = other is Sensitive && other.text == text

    override fun hashCode(): Int = text.hashCode()

    override fun toString(): String = "…"
}

/** The same of bytes, which the record that has them would print one by one. */
public class SensitiveBytes(private val bytes: ByteArray) {
    /** The bytes themselves: to show what they are to their owner, never to log them. */
    public fun expose(): ByteArray = bytes

    override fun equals(other: Any?): Boolean = other is SensitiveBytes && other.bytes.contentEquals(bytes)

    override fun hashCode(): Int = bytes.contentHashCode()

    override fun toString(): String = "…"
}
