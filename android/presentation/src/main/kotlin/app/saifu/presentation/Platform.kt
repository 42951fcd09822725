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

    /** A payment went through, or did not: to be felt, without a look. */
    fun felt(paid: Boolean)

    /**
     * Has the owner approve what [text] says and sign [bytes] with the key that only the owner may use. Nothing if the owner declined,
     * which is an answer and no error.
     *
     * @throws app.saifu.HostException what keeps the key from being used.
     */
    suspend fun approve(text: Text, bytes: ByteArray): ByteArray?

    private companion object {
        const val SECOND_MS = 1_000L
    }
}
