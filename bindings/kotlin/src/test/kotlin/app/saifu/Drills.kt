package app.saifu

import com.sun.jna.Library
import com.sun.jna.Native

/** The environment of this process, which the library reads at each call; Java's copy of it would not do. */
@Suppress("FunctionName")
private interface LibC : Library {
    fun setenv(name: String, value: String, overwrite: Int): Int

    fun unsetenv(name: String): Int
}

private val libc: LibC by lazy { Native.load("c", LibC::class.java) }

/** Does [work] while the library, which the tests have with its drills, does [drill]: `panic:CALL` or `abandon`. */
inline fun <T> drilling(drill: String, work: () -> T): T {
    setDrill(drill)
    try {
        return work()
    } finally {
        setDrill(null)
    }
}

@PublishedApi
internal fun setDrill(drill: String?) {
    if (drill == null) libc.unsetenv("SAIFU_DRILL") else libc.setenv("SAIFU_DRILL", drill, 1)
}
