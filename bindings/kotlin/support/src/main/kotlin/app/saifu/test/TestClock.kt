package app.saifu.test

import app.saifu.Clock
import app.saifu.ClockReading
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import java.time.Instant
import java.util.UUID
import java.util.concurrent.atomic.AtomicLong

/**
 * The machine's clocks, moved ahead together by [offsetMs], as the sandbox moves its own. The JVM's elapsed time stands
 * still while the machine sleeps, which a shipped host's may not.
 */
public class TestClock : Clock {
    private val offset = AtomicLong()

    /** How far all of it is ahead of the machine, milliseconds. */
    public var offsetMs: Long
        get() = offset.get()
        set(value) = offset.set(value)

    /** The wall time at which all of it stands still, milliseconds since 1970; null while it runs. */
    @Volatile
    public var heldAtMs: Long? = null

    override fun read(): ClockReading {
        val now = Instant.now()
        val ahead = heldAtMs?.let { it - now.toEpochMilli() } ?: offset.get()
        return ClockReading(
            wall = now.plusMillis(ahead),
            elapsedMs = System.nanoTime() / 1_000_000 - ORIGIN_MS + ahead,
            bootId = BOOT,
        )
    }

    private companion object {
        /** `nanoTime` may begin anywhere, below zero too; on Linux it is the time since the boot. */
        val ORIGIN_MS: Long = if (System.nanoTime() < 0) System.nanoTime() / 1_000_000 else 0

        /** Linux counts `nanoTime` from the boot that it names here; elsewhere each process is a boot of its own. */
        val BOOT: ByteArray = run {
            val named = Path.of("/proc/sys/kernel/random/boot_id")
            val id = if (Files.exists(named)) UUID.fromString(Files.readString(named).trim()) else UUID.randomUUID()
            ByteBuffer.allocate(16).putLong(id.mostSignificantBits).putLong(id.leastSignificantBits).array()
        }
    }
}
