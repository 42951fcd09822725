package app.saifu

import app.saifu.scenario.Expectation
import app.saifu.scenario.Malformed
import app.saifu.scenario.World
import app.saifu.scenario.at
import app.saifu.scenario.canonical
import app.saifu.scenario.parse
import app.saifu.scenario.pieces
import app.saifu.scenario.span
import app.saifu.scenario.substitute
import kotlinx.serialization.json.Json
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** The runner's own rules: what docs/scenarios.md does not have is refused, with its place. */
class ScenarioFormatTest {
    private companion object {
        val table = World().use { it.table }
        const val GOOD = """{"do": "wallet.code", "as": "taro", "save": {"digits": "digits"}}"""
    }

    private fun scenario(vararg steps: String): String =
        """{"name": "n", "shows": "s", "personas": {"taro": {"number": "090-1234-5678"}}, "steps": [${steps.joinToString()}]}"""

    private fun refused(path: String, text: String) {
        val malformed = assertThrows(Malformed::class.java, { parse(text, table) }, text)
        assertEquals(path, malformed.path, malformed.message)
    }

    @Test
    fun `a step that the table does not know is refused with its place`() {
        parse(scenario(GOOD), table)
        refused("$.steps[0].do", scenario("""{"do": "wallet.steal", "as": "taro"}"""))
        refused("$.steps[0].colour", scenario("""{"do": "wallet.home", "as": "taro", "colour": 1}"""))
        refused("$.steps[0].as", scenario("""{"do": "wallet.home"}"""))
        refused("$.steps[0].as", scenario("""{"do": "wallet.home", "as": "hanako"}"""))
        refused("$.steps[0].as", scenario("""{"do": "sandbox.clock", "as": "taro"}"""))
        refused("$.steps[0].as", scenario("""{"do": "register.scan", "as": "atm-1", "digits": "1", "yen": 1}"""))
        refused("$.steps[0].yen", scenario("""{"do": "wallet.top-up", "as": "taro"}"""))
        refused("$.steps[0].yen", scenario("""{"do": "wallet.top-up", "as": "taro", "yen": 0}"""))
        refused("$.steps[0].purpose", scenario("""{"do": "wallet.code", "as": "taro", "purpose": "gift"}"""))
        refused("$.steps[0].advance", scenario("""{"do": "sandbox.clock", "advance": "1.5h"}"""))
        refused("$.steps[0].expect.colour", scenario("""{"do": "wallet.home", "as": "taro", "expect": {"colour": 1}}"""))
        refused("$.steps[0].expect.points", scenario("""{"do": "wallet.home", "as": "taro", "expect": {"points": {"gt": 1}}}"""))
        refused("$.steps[0].save.a", scenario("""{"do": "wallet.home", "as": "taro", "save": {"a": "colour"}}"""))
        refused("$.steps[0].within", scenario("""{"do": "wallet.code", "as": "taro", "within": "5m"}"""))
        refused("$.steps[1]", scenario(GOOD, """{"do": "register.scan", "digits": "${"$"}{other}", "yen": 1}"""))
        refused("$.steps", scenario())
        refused("$.colour", scenario(GOOD).replace("\"shows\"", "\"colour\": 1, \"shows\""))
        refused("$.personas.taro.state", scenario(GOOD).replace("5678\"", "5678\", \"state\": \"rich\""))
    }

    @Test
    fun `canonical text has sorted keys, no blanks and the shortest escapes`() {
        val text = """{ "b": [1, true, null, -3], "a": "é\u0001\n\"\\/😀", "A": {} }"""
        assertEquals("""{"A":{},"a":"é\u0001\n\"\\/😀","b":[1,true,null,-3]}""", canonical(Json.parseToJsonElement(text)))
        assertThrows(Malformed::class.java) { canonical(Json.parseToJsonElement("[1.5]")) }
    }

    @Test
    fun `a key beyond the first plane comes after one of the private area, as its bytes do`() {
        val text = canonical(Json.parseToJsonElement("{\"\uD83D\uDE00\": 1, \"\uE000\": 2}"))
        assertEquals("{\"\uE000\":2,\"\uD83D\uDE00\":1}", text)
    }

    @Test
    fun `saved values keep their kind and wrong ones differ in the last digit`() {
        val saved = mapOf("n" to json(5), "code" to json("123459"))
        assertEquals(json(5), substitute(json("\${n}"), saved))
        assertEquals(json("no 5: 123459"), substitute(json("no \${n}: \${code}"), saved))
        assertEquals(json("123450"), substitute(json("\${wrong:code}"), saved))
    }

    @Test
    fun `bounds hold for numbers only, and absent and null are two things`() {
        val between = checkNotNull(Expectation.read(jsonObject("gte" to 2, "lte" to 3)))
        assertEquals(listOf(false, true, true, false), (1..4).map { between.met(json(it)) })
        assertEquals(listOf(false, false, false), listOf(json("2"), json(null), null).map(between::met))
        val document = Json.parseToJsonElement("""{"a": null, "list": [{"b": 1}]}""")
        assertEquals(true to false, Expectation.Null.met(at(document, "a")) to Expectation.Absent.met(at(document, "a")))
        assertEquals(true, Expectation.Absent.met(at(document, "list.1")))
        assertEquals(json(1), at(document, "list.0.b"))
        val both = """{"null": true, "absent": true}"""
        for (nonsense in listOf("null", "[]", "1.5", "{}", """{"gt": 1}""", """{"gte": "x"}""", both)) {
            assertNull(Expectation.read(Json.parseToJsonElement(nonsense)), nonsense)
        }
    }

    @Test
    fun `spans are whole numbers with a unit`() {
        assertEquals(listOf(90.seconds, 15.minutes, 3.days), listOf("90s", "15m", "3d").map(::span))
        assertEquals(listOf<Duration?>(null, null, null, null), listOf("0s", "-1s", "5", "1.5h").map(::span))
    }

    @Test
    fun `repeating moves the clock in whole seconds, and by the whole span in all`() {
        assertEquals(List(20) { 48.seconds }, pieces(16.minutes).toList())
        assertEquals(List(22) { 4.seconds } + 2.seconds, pieces(90.seconds).toList())
        assertEquals(List(5) { 1.seconds }, pieces(5.seconds).toList())
        assertEquals(listOf<Duration>(), pieces(Duration.ZERO).toList())
    }
}
