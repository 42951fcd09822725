package app.saifu.scenario

import app.saifu.HostException
import app.saifu.Keys
import app.saifu.scenario.FAILURES
import app.saifu.test.TestKeys

/** A persona's keys, of which the next few signatures may fail. */
class FailingKeys(private val keys: TestKeys) : Keys by keys {
    private var failure: () -> HostException = HostException::Temporary
    private var left = 0L

    /** The next [times] signatures, by whichever key, fail in the way that is called [how]. */
    @Synchronized
    fun fail(how: String, times: Long) {
        failure = FAILURES[how] ?: throw Broken("no failure of a key is $how")
        left = times
    }

    override fun sign(message: ByteArray): ByteArray {
        meet()
        return keys.sign(message)
    }

    /** Signs as the owner who agreed. */
    fun authorize(message: ByteArray): ByteArray {
        meet()
        return keys.authorize(message)
    }

    @Synchronized
    private fun meet() {
        if (left == 0L) return
        left -= 1
        throw failure()
    }
}
