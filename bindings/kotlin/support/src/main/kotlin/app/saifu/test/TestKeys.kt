package app.saifu.test

import app.saifu.HostException
import app.saifu.HostKey
import app.saifu.Keys
import app.saifu.Role
import java.security.KeyFactory
import java.security.KeyPair
import java.security.KeyPairGenerator
import java.security.Signature
import java.security.spec.ECGenParameterSpec
import java.security.spec.PKCS8EncodedKeySpec
import java.security.spec.X509EncodedKeySpec

/** P-256 keys of the JDK, each role's under two names: PKCS#8 and SPKI, both DER. */
public class TestKeys internal constructor(private val store: Store) : Keys {
    @Synchronized
    override fun create(role: Role): HostKey {
        val pair = stored(role) ?: generated(role)
        return HostKey(spki = pair.public.encoded, hardware = false)
    }

    @Synchronized
    override fun info(role: Role): HostKey {
        val pair = stored(role) ?: throw HostException.Gone()
        return HostKey(spki = pair.public.encoded, hardware = false)
    }

    override fun sign(message: ByteArray): ByteArray = signed(Role.DEVICE, message)

    /** The other key's signature: it is outside [Keys], because the shell prompts for it. */
    public fun authorize(message: ByteArray): ByteArray = signed(Role.AUTHORIZATION, message)

    @Synchronized
    override fun delete(role: Role) {
        // The private half first: without it there is no key.
        listOf(privateName(role), publicName(role)).forEach(store::delete)
    }

    @Synchronized
    private fun signed(role: Role, message: ByteArray): ByteArray {
        val pair = stored(role) ?: throw HostException.Gone()
        return Signature.getInstance("SHA256withECDSA").run {
            initSign(pair.private)
            update(message)
            sign()
        }
    }

    private fun generated(role: Role): KeyPair {
        val pair = KeyPairGenerator.getInstance("EC").run {
            initialize(ECGenParameterSpec("secp256r1"))
            generateKeyPair()
        }
        store.replace(publicName(role), pair.public.encoded)
        store.replace(privateName(role), pair.private.encoded)
        return pair
    }

    private fun stored(role: Role): KeyPair? {
        val private = store.read(privateName(role)) ?: return null
        val public = store.read(publicName(role)) ?: return null
        val factory = KeyFactory.getInstance("EC")
        return KeyPair(factory.generatePublic(X509EncodedKeySpec(public)), factory.generatePrivate(PKCS8EncodedKeySpec(private)))
    }

    private fun privateName(role: Role): String = "${role.name.lowercase()}.pkcs8"

    private fun publicName(role: Role): String = "${role.name.lowercase()}.spki"
}
