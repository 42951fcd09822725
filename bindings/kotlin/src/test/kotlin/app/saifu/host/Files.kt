package app.saifu.host

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

/** Puts [bytes] into [file] whole or not at all, and on the disk when this returns. */
internal fun replace(file: Path, bytes: ByteArray) {
    val partial = file.resolveSibling("${file.fileName}.partial")
    FileChannel.open(partial, CREATE, WRITE, TRUNCATE_EXISTING).use { channel ->
        val buffer = ByteBuffer.wrap(bytes)
        while (buffer.hasRemaining()) channel.write(buffer)
        channel.force(true)
    }
    Files.move(partial, file, ATOMIC_MOVE)
    FileChannel.open(file.parent, READ).use { it.force(true) }
}

/** A disk that fails is no word about a key: the wallet is to try again. */
internal inline fun <T> temporary(work: () -> T): T =
    try {
        work()
    } catch (_: IOException) {
        throw HostException.Temporary()
    }
