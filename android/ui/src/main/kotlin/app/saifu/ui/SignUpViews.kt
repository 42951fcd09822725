package app.saifu.ui

import androidx.compose.runtime.Composable
import androidx.compose.ui.text.input.KeyboardType
import app.saifu.presentation.NumberIntent
import app.saifu.presentation.NumberState
import app.saifu.presentation.SmsIntent
import app.saifu.presentation.SmsState
import app.saifu.presentation.Text

/** Asks for the phone number. */
@Composable
fun NumberView(state: NumberState, send: (NumberIntent) -> Unit) {
    Screen(
        bottom = { Primary(Text("action_send_code"), enabled = !state.busy) { send(NumberIntent.Send) } },
    ) {
        Gap(Space.huge)
        Title(state.title)
        Gap(Space.s)
        Body(state.why)
        Gap(Space.xxl)
        val done = { send(NumberIntent.Send) }
        Field(Text("label_number"), state.number, KeyboardType.Phone, done) { send(NumberIntent.Typed(it)) }
        state.problem?.let {
            Gap(Space.l)
            Trouble(it)
        }
    }
}

/** Asks for the code of the SMS. */
@Composable
fun SmsView(state: SmsState, otherNumber: () -> Unit, send: (SmsIntent) -> Unit) {
    Screen(
        bottom = { Primary(Text("action_confirm"), enabled = !state.busy) { send(SmsIntent.Confirm) } },
    ) {
        Gap(Space.huge)
        Title(Text("screen_sms"))
        Gap(Space.s)
        Body(state.sentTo)
        Gap(Space.xxl)
        val done = { send(SmsIntent.Confirm) }
        Field(Text("label_sms"), state.code, KeyboardType.NumberPassword, done) { send(SmsIntent.Typed(it)) }
        state.problem?.let {
            Gap(Space.l)
            Trouble(it)
        }
        Gap(Space.l)
        Link(Text("action_new_code"), enabled = !state.busy && state.againIn == null) { send(SmsIntent.Again) }
        state.againIn?.let { Label(it) }
        Link(Text("action_other_number"), enabled = !state.busy, onClick = otherNumber)
    }
}
