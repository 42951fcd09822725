package app.saifu.test

import app.saifu.HostException
import app.saifu.SealName
import app.saifu.Secrets
import java.nio.ByteBuffer
import java.security.GeneralSecurityException
import java.security.SecureRandom
import javax.crypto.Cipher
import javax.crypto.spec.GCMParameterSpec
import javax.crypto.spec.SecretKeySpec

/**
 * AES-256-GCM under keys under one name: install (16 bytes), then for each key, the oldest first, its generation
 * (8 bytes, big-endian) and the key (32 bytes). A sealed text is the generation, a nonce (12 bytes), the ciphertext and its
 * tag (16 bytes); install and generation are its associated data.
 */
public class TestSecrets internal constructor(private val store: Store) : Secrets {
    private class Ring(val install: ByteArray, val keys: Map<Long, ByteArray>) {
        val newest: Long = keys.keys.last()
    }

    private val random = SecureRandom()

    @Synchronized
    override fun seal(plain: ByteArray): ByteArray {
        val ring = read() ?: throw HostException.Gone()
        val nonce = bytes(NONCE)
        val generation = generationBytes(ring.newest)
        return generation + nonce + cipher(Cipher.ENCRYPT_MODE, ring, ring.newest, nonce).doFinal(plain)
    }

    @Synchronized
    override fun unseal(sealed: ByteArray): ByteArray {
        val ring = read() ?: throw HostException.Gone()
        // The JDK's cipher has another exception for a text that is too short to hold a tag.
        if (sealed.size < GENERATION + NONCE + TAG) throw HostException.Gone()
        val generation = ByteBuffer.wrap(sealed).getLong()
        if (generation !in ring.keys) throw HostException.Gone()
        val nonce = sealed.copyOfRange(GENERATION, GENERATION + NONCE)
        try {
            return cipher(Cipher.DECRYPT_MODE, ring, generation, nonce)
                .doFinal(sealed, GENERATION + NONCE, sealed.size - GENERATION - NONCE)
        } catch (_: GeneralSecurityException) {
            throw HostException.Gone()
        }
    }

    @Synchronized
    override fun id(): SealName? = read()?.let { SealName(install = it.install, generation = it.newest) }

    @Synchronized
    override fun renew(): SealName {
        val old = read()
        val install = old?.install ?: bytes(INSTALL)
        val next = (old?.newest ?: 0L) + 1
        write(Ring(install, old?.keys.orEmpty() + (next to bytes(KEY))))
        return SealName(install = install, generation = next)
    }

    @Synchronized
    override fun retire() {
        val ring = read() ?: return
        if (ring.keys.size > 1) write(Ring(ring.install, mapOf(ring.newest to ring.keys.getValue(ring.newest))))
    }

    private fun read(): Ring? {
        val bytes = store.read(NAME) ?: return null
        val buffer = ByteBuffer.wrap(bytes)
        val install = ByteArray(INSTALL).also(buffer::get)
        val keys = LinkedHashMap<Long, ByteArray>()
        while (buffer.hasRemaining()) keys[buffer.getLong()] = ByteArray(KEY).also(buffer::get)
        return Ring(install, keys)
    }

    private fun write(ring: Ring) {
        val keys = ring.keys.map { (generation, key) -> generationBytes(generation) + key }
        store.replace(NAME, keys.fold(ring.install) { all, key -> all + key })
    }

    private fun cipher(mode: Int, ring: Ring, generation: Long, nonce: ByteArray): Cipher =
        Cipher.getInstance("AES/GCM/NoPadding").apply {
            init(mode, SecretKeySpec(ring.keys.getValue(generation), "AES"), GCMParameterSpec(8 * TAG, nonce))
            updateAAD(ring.install + generationBytes(generation))
        }

    private fun generationBytes(generation: Long): ByteArray = ByteBuffer.allocate(GENERATION).putLong(generation).array()

    private fun bytes(count: Int): ByteArray = ByteArray(count).also(random::nextBytes)

    private companion object {
        const val NAME = "seal.keys"
        const val INSTALL = 16
        const val GENERATION = 8
        const val KEY = 32
        const val NONCE = 12
        const val TAG = 16
    }
}
