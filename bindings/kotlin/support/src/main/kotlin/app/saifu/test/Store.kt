package app.saifu.test

import app.saifu.HostException
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.TRUNCATE_EXISTING
import java.nio.file.StandardOpenOption.WRITE
import java.util.concurrent.ConcurrentHashMap

/** Where a host keeps what it has: a few bytes under a name. */
internal interface Store {
    fun read(name: String): ByteArray?

    /** Whole or not at all, and for good when this returns. */
    fun replace(name: String, bytes: ByteArray)

    fun delete(name: String)
}

/** As long as the process lives. */
internal class MemoryStore : Store {
    private val kept = ConcurrentHashMap<String, ByteArray>()

    override fun read(name: String): ByteArray? = kept[name]

    override fun replace(name: String, bytes: ByteArray) {
        kept[name] = bytes
    }

    override fun delete(name: String) {
        kept.remove(name)
    }
}

/** Files of [folder], in clear. */
internal class FileStore(private val folder: Path) : Store {
    init {
        Files.createDirectories(folder)
    }

    override fun read(name: String): ByteArray? =
        temporary { folder.resolve(name).let { if (Files.exists(it)) Files.readAllBytes(it) else null } }

    override fun replace(name: String, bytes: ByteArray) {
        val partial = folder.resolve("$name.partial")
        temporary {
            FileChannel.open(partial, CREATE, WRITE, TRUNCATE_EXISTING).use { channel ->
                val buffer = ByteBuffer.wrap(bytes)
                while (buffer.hasRemaining()) channel.write(buffer)
                channel.force(true)
            }
            Files.move(partial, folder.resolve(name), ATOMIC_MOVE)
            FileChannel.open(folder, READ).use { it.force(true) }
        }
    }

    override fun delete(name: String) {
        temporary { Files.deleteIfExists(folder.resolve(name)) }
    }

    /** A disk that fails is no word about a key: the wallet is to try again. */
    private inline fun <T> temporary(work: () -> T): T =
        try {
            work()
        } catch (_: IOException) {
            throw HostException.Temporary()
        }
}
