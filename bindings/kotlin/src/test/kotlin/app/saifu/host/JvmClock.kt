package app.saifu.host

import app.saifu.Clock
import app.saifu.ClockReading
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import java.util.UUID
import java.util.concurrent.atomic.AtomicLong

/**
 * The machine's clocks, moved ahead together by [offsetMs], as the sandbox moves its own. The JVM's elapsed time stands
 * still while the machine sleeps, which a shipped host's may not.
 */
class JvmClock : Clock {
    private val offset = AtomicLong()

    /** How far all of it is ahead of the machine, milliseconds. */
    var offsetMs: Long
        get() = offset.get()
        set(value) = offset.set(value)

    override fun read(): ClockReading {
        val ahead = offset.get()
        return ClockReading(
            wallMs = (System.currentTimeMillis() + ahead).toULong(),
            elapsedMs = (System.nanoTime() / 1_000_000 + ahead).toULong(),
            bootId = BOOT,
        )
    }

    private companion object {
        /** Linux counts `nanoTime` from the boot that it names here; elsewhere each process is a boot of its own. */
        val BOOT: ByteArray = run {
            val named = Path.of("/proc/sys/kernel/random/boot_id")
            val id = if (Files.exists(named)) UUID.fromString(Files.readString(named).trim()) else UUID.randomUUID()
            ByteBuffer.allocate(16).putLong(id.mostSignificantBits).putLong(id.leastSignificantBits).array()
        }
    }
}
