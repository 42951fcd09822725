package app.saifu.presentation

import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import java.time.Clock

/** What the operating system does for a screen: each app brings its own, tests a fake. */
interface Platform {
    /** The wall clock and its zone, for the words of times alone: what holds until when is the core's to say. */
    val clock: Clock

    /** Beats once a second for as long as it is collected. */
    val seconds: Flow<Unit>
        get() = flow {
            while (true) {
                emit(Unit)
                delay(SECOND_MS)
            }
        }

    /** Light for the reader at the till, or back to what it was. */
    fun bright(on: Boolean)

    /** A payment went through, or did not: to be felt, without a look. */
    fun felt(paid: Boolean)

    private companion object {
        const val SECOND_MS = 1_000L
    }
}
