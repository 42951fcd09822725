package app.saifu

/** [host] with every method guarded: see [openWallet]. */
internal fun guarded(host: Host): Host =
    Host(GuardedKeys(host.keys), GuardedSecrets(host.secrets), GuardedClock(host.clock))

/** What [call] throws never crosses the FFI boundary as it is: its text may hold anything, and an `Error` would be lost there. */
private inline fun <T> guard(call: () -> T): T =
    try {
        call()
    } catch (expected: HostException) {
        throw expected
    } catch (_: Throwable) {
        throw HostException.Unexpected()
    }

private class GuardedKeys(private val keys: Keys) : Keys {
    override fun create(role: Role): HostKey = guard { keys.create(role) }

    override fun info(role: Role): HostKey = guard { keys.info(role) }

    override fun sign(message: ByteArray): ByteArray = guard { keys.sign(message) }

    override fun delete(role: Role): Unit = guard { keys.delete(role) }
}

private class GuardedSecrets(private val secrets: Secrets) : Secrets {
    override fun seal(plain: ByteArray): ByteArray = guard { secrets.seal(plain) }

    override fun unseal(sealed: ByteArray): ByteArray = guard { secrets.unseal(sealed) }

    override fun id(): SealName? = guard { secrets.id() }

    override fun renew(): SealName = guard { secrets.renew() }

    override fun retire(): Unit = guard { secrets.retire() }
}

private class GuardedClock(private val clock: Clock) : Clock {
    override fun read(): ClockReading = guard { clock.read() }
}
