package app.saifu

import kotlin.io.path.readLines

/** What the library exports, read from `bindings/api.txt`, which the gate holds against the library itself. */
object Api {
    private val OBJECT = Regex("object (\\w+)")
    private val FALLIBLE = Regex(" {2}(?:async |constructor )?(\\w+)\\(.*\\).* throws WalletError")

    /** Every call that can fail: `Object.call`, as Rust names it. */
    fun fallibleCalls(): Set<String> {
        var inside: String? = null
        return repository.resolve("bindings/api.txt").readLines().mapNotNullTo(LinkedHashSet()) { line ->
            if (!line.startsWith(" ")) inside = OBJECT.matchEntire(line)?.groupValues?.get(1)
            FALLIBLE.matchEntire(line)?.let { "$inside.${it.groupValues[1]}" }
        }
    }
}
