package app.saifu.ui

import app.saifu.fixtures.Fixture
import app.saifu.presentation.Language
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory

/** Every fixture can be drawn, in its usual form; the first of each screen in every form. */
class PicturesTest {
    @TestFactory
    fun `every fixture is drawn`(): List<DynamicTest> =
        Fixture.all().flatMap { fixture -> viewings(fixture).map { viewing -> draws(fixture, viewing) } }

    private fun draws(fixture: Fixture, viewing: Viewing): DynamicTest =
        DynamicTest.dynamicTest("${fixture.name} ${viewing.name}") {
            Pictures.keep("${fixture.name}-${viewing.name}", Pictures.draw(fixture, viewing))
        }

    private fun viewings(fixture: Fixture): List<Viewing> =
        if (fixture.name.endsWith("/usual")) {
            listOf(false, true).flatMap { dark ->
                Language.entries.flatMap { language ->
                    listOf(1f, 2f).map { Viewing(dark = dark, language = language, fontScale = it) }
                }
            } + Viewing(width = 320, height = 568)
        } else {
            listOf(Viewing())
        }
}
