package app.saifu.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.dp
import app.saifu.presentation.Text as Words

/** The widest a column of text and buttons gets, on tablets and in wide windows. */
private val COLUMN = 480.dp

/** A screen: what is read scrolls, what is done stays at the thumb for as long as both fit. */
@Composable
fun Screen(bottom: @Composable ColumnScope.() -> Unit, content: @Composable ColumnScope.() -> Unit) {
    Box(Modifier.fillMaxSize().background(Look.colors.paper), contentAlignment = Alignment.TopCenter) {
        Column(Modifier.widthIn(max = COLUMN).fillMaxSize().padding(horizontal = Space.xl)) {
            Column(
                Modifier.weight(1f).fillMaxWidth().verticalScroll(rememberScrollState()),
                content = content,
            )
            Column(
                Modifier.fillMaxWidth().padding(top = Space.m, bottom = Space.l),
                verticalArrangement = Arrangement.spacedBy(Space.m),
                content = bottom,
            )
        }
    }
}

/** A screen that was opened upon another one: the way back, what it is, and what it is about. */
@Composable
fun Sheet(
    title: Words,
    close: () -> Unit,
    bottom: @Composable ColumnScope.() -> Unit = {},
    content: @Composable ColumnScope.() -> Unit,
) {
    Screen(bottom) {
        Gap(Space.s)
        Link(Words("action_close"), onClick = close)
        Gap(Space.s)
        Title(title)
        Gap(Space.xl)
        content()
    }
}

@Composable
fun Hairline(color: Color = Look.colors.line) {
    Box(Modifier.fillMaxWidth().height(1.dp).background(color))
}

@Composable
fun Gap(height: Dp) {
    Spacer(Modifier.height(height))
}
