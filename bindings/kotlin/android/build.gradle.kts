// Makes the AAR from the sources beside it: see README.md. The versions are those of ../pom.xml, where there is one.
plugins {
    id("com.android.library") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.4.10"
    `maven-publish`
}

group = "app.saifu"
version = "0.1.0"

val repository = rootDir.resolve("../../..")
val libraries = layout.buildDirectory.dir("rust")

android {
    namespace = "app.saifu"
    compileSdk = 36
    // NDK r28 and later align libraries to 16 KB pages.
    ndkVersion = "28.2.13676358"

    defaultConfig {
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    sourceSets.getByName("main") {
        kotlin.srcDirs("../src/main/kotlin", repository.resolve("target/bindings/kotlin"))
        jniLibs.srcDir(libraries)
    }
    publishing {
        singleVariant("release")
    }
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    // The AAR of JNA brings its native half for each ABI.
    api("net.java.dev.jna:jna:5.19.1@aar")
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.11.0")
}

val buildRust by tasks.registering(Exec::class) {
    workingDir = repository
    val abis = listOf("arm64-v8a", "armeabi-v7a", "x86_64").flatMap { listOf("-t", it) }
    val output = listOf("--platform", "26", "-o", libraries.get().asFile.path)
    val build = listOf("rustc", "--release", "-p", "saifu-ffi", "--lib", "--crate-type", "cdylib")
    commandLine(listOf("cargo", "ndk") + abis + output + build)
}

tasks.named("preBuild") { dependsOn(buildRust) }

publishing {
    publications.register<MavenPublication>("release") {
        artifactId = "saifu-android"
        afterEvaluate { from(components["release"]) }
    }
}
