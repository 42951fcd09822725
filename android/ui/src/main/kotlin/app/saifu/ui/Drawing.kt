package app.saifu.ui

import androidx.compose.foundation.Canvas
import androidx.compose.foundation.layout.BoxWithConstraints
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.size
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.geometry.Size
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.StrokeCap
import androidx.compose.ui.graphics.drawscope.DrawScope
import androidx.compose.ui.graphics.drawscope.Stroke
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.dp
import app.saifu.Symbol

/**
 * A symbol in whole device pixels: the largest module that fits [widest] and the room there is, its quiet zone kept, nothing
 * stretched and nothing smoothed. A bar code is [height] high, a square one as high as wide.
 */
@Composable
fun SymbolView(symbol: Symbol, spoken: String, widest: Dp, height: Dp?) {
    val color = Look.colors.modules
    BoxWithConstraints(Modifier.fillMaxWidth(), Alignment.Center) {
        val density = LocalDensity.current
        val columns = symbol.width + 2 * symbol.quietZone
        val room = with(density) { minOf(maxWidth, widest).toPx() }
        val module = (room / columns).toInt().coerceAtLeast(1)
        val tall = height?.let { with(density) { it.roundToPx() } } ?: (module * (symbol.height + 2 * symbol.quietZone))
        val size = with(density) { Pair((module * columns).toDp(), tall.toDp()) }
        Canvas(Modifier.size(size.first, size.second).semantics { contentDescription = spoken }) {
            modules(symbol, color, module.toFloat(), barHeight = if (height == null) null else tall.toFloat())
        }
    }
}

private fun DrawScope.modules(symbol: Symbol, color: Color, module: Float, barHeight: Float?) {
    val dark = symbol.modules.expose()
    val top = if (barHeight == null) symbol.quietZone * module else 0f
    for (y in 0 until symbol.height) {
        for (x in 0 until symbol.width) {
            if (dark[y * symbol.width + x].toInt() == 0) continue
            val at = Offset((symbol.quietZone + x) * module, top + y * module)
            drawRect(color, at, Size(module, barHeight ?: module))
        }
    }
}

/** The mark on the pay surface: bars, for what it opens. */
@Composable
fun Bars(color: Color, size: Dp) {
    Canvas(Modifier.size(size)) {
        val unit = this.size.width / BARS.sum()
        var x = 0f
        BARS.forEachIndexed { place, width ->
            if (place % 2 == 0) drawRect(color, Offset(x, 0f), Size(width * unit, this.size.height))
            x += width * unit
        }
    }
}

private val BARS = listOf(2, 2, 3, 2, 1, 3, 2, 2, 3)

/** How a payment ended: a tick or a dash in a circle, beside the words. */
@Composable
fun Seal(good: Boolean) {
    val (ground, mark) = if (good) Look.colors.good to Look.colors.onGood else Look.colors.line to Look.colors.ink
    Canvas(Modifier.size(72.dp)) {
        drawCircle(ground)
        val stroke = Stroke(size.width / 18, cap = StrokeCap.Round)

        fun line(from: Offset, to: Offset) = drawLine(mark, from, to, stroke.width, StrokeCap.Round)

        fun at(x: Float, y: Float) = Offset(size.width * x, size.height * y)
        if (good) {
            line(at(0.32f, 0.52f), at(0.45f, 0.66f))
            line(at(0.45f, 0.66f), at(0.70f, 0.35f))
        } else {
            line(at(0.32f, 0.5f), at(0.68f, 0.5f))
        }
    }
}
