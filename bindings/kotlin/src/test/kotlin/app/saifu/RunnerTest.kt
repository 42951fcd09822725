package app.saifu

import app.saifu.scenario.World
import app.saifu.scenario.parse
import app.saifu.scenario.play
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.file.Path

/** The verbs that break a wallet fail where they broke nothing: else a scenario could pass that shows nothing. */
class RunnerTest {
    /** What the last of [steps], which must be the one that fails, saw. */
    private fun seen(vararg steps: String): String {
        val personas = """{"taro": {"number": "090-1234-5678", "state": "starter"}}"""
        val text = """{"name": "n", "shows": "s", "personas": $personas, "steps": [${steps.joinToString()}]}"""
        val played = World().use { runBlocking(Dispatchers.Default) { play(parse(text, it.table), it) } }
        val failure = checkNotNull(played.failure)
        Path.of(failure["folder"].text).toFile().deleteRecursively()
        assertEquals(steps.size - 1L, failure["step"].whole, "$failure")
        return failure["seen"].let { it.text ?: "$it" }
    }

    @Test
    fun `a kill that met no held request and damage to an open wallet fail`() {
        assertEquals("the call ended before the issuer held it", seen(TOP_UP))
        assertEquals("the wallet of taro is open; kill it first", seen(DAMAGE))
    }

    @Test
    fun `a kill in a call kills, damage is undone by damage, and keys fail as often as they should`() {
        val hang = """{"do": "sandbox.fault", "on": "top-up", "act": "hang"}"""
        val held = """{"do": "sandbox.held", "expect": {"held": 1}}"""
        val reopen = """{"do": "wallet.reopen", "as": "taro"}"""
        val fails = """{"do": "wallet.key-fails", "as": "taro", "how": "gone", "times": 2}"""
        val refused = """{"do": "wallet.refresh", "as": "taro", "expect": {"error": "key", "detail": "gone"}}"""
        val seen = seen(hang, TOP_UP, held, DAMAGE, DAMAGE, reopen, fails, refused, refused, refused)
        assertTrue("balance_yen" in seen, seen)
    }

    private companion object {
        const val TOP_UP = """{"do": "wallet.top-up", "as": "taro", "yen": 1000, "killed": true}"""
        const val DAMAGE = """{"do": "wallet.damage", "as": "taro"}"""
    }
}
