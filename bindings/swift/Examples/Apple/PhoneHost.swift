#if canImport(CryptoKit) && canImport(LocalAuthentication)
    import CryptoKit
    import Foundation
    import LocalAuthentication
    import Saifu
    import Security

    /// The two signing keys in the Secure Enclave. What it gives back of each is useless elsewhere, and lies in the Keychain.
    final class EnclaveKeys: Keys, Approver {
        private typealias Key = SecureEnclave.P256.Signing.PrivateKey

        func create(role: Role) throws -> HostKey {
            if let kept = try Keychain.read(Self.name(role)) { return try Self.told(Key(dataRepresentation: kept)) }
            let presence: SecAccessControlCreateFlags = role == .authorization ? [.biometryCurrentSet] : []
            let access = SecAccessControlCreateWithFlags(
                nil, kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly, presence.union(.privateKeyUsage), nil)
            guard let access else { throw HostError.NoScreenLock }
            let key = try Key(accessControl: access)
            try Keychain.add(Self.name(role), key.dataRepresentation)
            return try Self.told(key)
        }

        func info(role: Role) throws -> HostKey { try Self.told(key(role)) }

        /// Hashes with SHA-256 itself.
        func sign(message: Data) throws -> Data { try key(.device).signature(for: message).derRepresentation }

        func delete(role: Role) throws { try Keychain.delete(Self.name(role)) }

        /// Blocks while Face ID asks; `Approval.confirm(by:)` calls it where that holds up nobody.
        func approve(_ message: Data, text: String) throws -> Data {
            let context = LAContext()
            context.localizedReason = text
            guard let kept = try Keychain.read(Self.name(.authorization)) else { throw HostError.Gone }
            do {
                return try Key(dataRepresentation: kept, authenticationContext: context)
                    .signature(for: message).derRepresentation
            } catch let error as LAError where error.code == .userCancel {
                throw HostError.UserDeclined
            }
        }

        private func key(_ role: Role) throws -> Key {
            guard let kept = try Keychain.read(Self.name(role)) else { throw HostError.Gone }
            return try Key(dataRepresentation: kept)
        }

        private static func told(_ key: Key) throws -> HostKey {
            HostKey(spki: key.publicKey.derRepresentation, hardware: true)
        }

        private static func name(_ role: Role) -> String { role == .device ? "device" : "authorization" }
    }

    /// Sealing keys in the Keychain, which keeps them out of backups. `1 · generation · AES-256-GCM box`.
    final class KeychainSecrets: Secrets {
        func seal(plain: Data) throws -> Data {
            guard let name = try id(), let key = try key(name.generation) else { throw HostError.Gone }
            let box = try AES.GCM.seal(plain, using: key, authenticating: name.install + Self.bytes(name.generation))
            guard let combined = box.combined else { throw HostError.Temporary }
            return Data([1]) + Self.bytes(name.generation) + combined
        }

        func unseal(sealed: Data) throws -> Data {
            let sealed = Data(sealed)
            guard sealed.count > 9, sealed[0] == 1, let name = try id() else { throw HostError.Gone }
            let generation = sealed[1..<9].reduce(Int64(0)) { $0 << 8 | Int64($1) }
            guard let key = try key(generation), let box = try? AES.GCM.SealedBox(combined: sealed[9...]),
                let plain = try? AES.GCM.open(box, using: key, authenticating: name.install + Self.bytes(generation))
            else { throw HostError.Gone }
            return plain
        }

        func id() throws -> SealName? {
            guard let install = try Keychain.read("install"), let newest = try generations().max() else { return nil }
            return SealName(install: install, generation: newest)
        }

        func renew() throws -> SealName {
            let kept = try Keychain.read("install")
            let install = kept ?? SymmetricKey(size: .bits128).withUnsafeBytes { Data($0) }
            if kept == nil { try Keychain.add("install", install) }
            let generation = (try generations().max() ?? 0) + 1
            try Keychain.add("seal-\(generation)", SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) })
            return SealName(install: install, generation: generation)
        }

        func retire() throws {
            for older in try generations().sorted().dropLast() { try Keychain.delete("seal-\(older)") }
        }

        private func generations() throws -> [Int64] {
            try Keychain.names().compactMap { $0.hasPrefix("seal-") ? Int64($0.dropFirst(5)) : nil }
        }

        private func key(_ generation: Int64) throws -> SymmetricKey? {
            try Keychain.read("seal-\(generation)").map { SymmetricKey(data: $0) }
        }

        private static func bytes(_ number: Int64) -> Data { withUnsafeBytes(of: number.bigEndian) { Data($0) } }
    }

    /// Wall time, time since the start including sleep, and which start it was.
    final class PhoneClock: Clock {
        func read() throws -> ClockReading {
            var name = [CChar](repeating: 0, count: 64)
            var size = name.count
            guard sysctlbyname("kern.bootsessionuuid", &name, &size, nil, 0) == 0,
                let boot = UUID(uuidString: String(cString: name))
            else { throw HostError.Temporary }
            return ClockReading(
                wall: Date(), elapsedMs: Int64(clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW) / 1_000_000),
                bootId: withUnsafeBytes(of: boot.uuid) { Data($0) })
        }
    }
#endif
