package app.saifu.test

import app.saifu.Config
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import java.nio.file.Files
import java.nio.file.Path
import java.util.Base64

/** The configuration of a wallet in [folder] for the issuer that `saifu sandbox` tells of in [file], its `sandbox.json`. */
public fun sandboxConfig(file: Path, folder: Path, appVersion: String = "test"): Config =
    sandboxConfig(Json.parseToJsonElement(String(Files.readAllBytes(file))).jsonObject, folder, appVersion)

/** The same of what stands in that file. */
public fun sandboxConfig(told: JsonObject, folder: Path, appVersion: String = "test"): Config {
    fun text(name: String): String = told.getValue(name).jsonPrimitive.content
    val decoder = Base64.getDecoder()
    return Config(
        folder = folder.toString(),
        appVersion = appVersion,
        customerUrl = text("customer_url"),
        serviceUrl = text("service_url"),
        caPem = told["ca_pem"]?.jsonPrimitive?.contentOrNull,
        pins = told.getValue("pins").jsonArray.map { decoder.decode(it.jsonPrimitive.content) },
        servicePins = told.getValue("service_pins").jsonArray.map { decoder.decode(it.jsonPrimitive.content) },
        serviceKey = decoder.decode(text("service_key")),
        sandbox = true,
    )
}
