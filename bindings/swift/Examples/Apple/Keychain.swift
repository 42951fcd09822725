#if canImport(Security)
    import Foundation
    import Saifu
    import Security

    /// Small secrets of this app, readable after the first unlock, on this device only, in no backup.
    enum Keychain {
        /// What every item has. Computed, because a shared one would not be `Sendable`.
        private static var base: [CFString: Any] {
            [kSecClass: kSecClassGenericPassword, kSecAttrService: "app.saifu", kSecUseDataProtectionKeychain: true]
        }

        static func read(_ name: String) throws -> Data? {
            try ask(name, [kSecReturnData: true]) as? Data
        }

        /// Adds a secret whose name is not taken.
        static func add(_ name: String, _ data: Data) throws {
            var item = base
            item[kSecAttrAccount] = name
            item[kSecAttrAccessible] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
            item[kSecValueData] = data
            guard SecItemAdd(item as CFDictionary, nil) == errSecSuccess else { throw HostError.Temporary }
        }

        static func delete(_ name: String) throws {
            var item = base
            item[kSecAttrAccount] = name
            let status = SecItemDelete(item as CFDictionary)
            guard status == errSecSuccess || status == errSecItemNotFound else { throw HostError.Temporary }
        }

        static func names() throws -> [String] {
            let found = try ask(nil, [kSecReturnAttributes: true, kSecMatchLimit: kSecMatchLimitAll])
            return (found as? [[String: Any]] ?? []).compactMap { $0[kSecAttrAccount as String] as? String }
        }

        /// "Not found" is an answer; anything else that goes wrong is not, and must not be taken for a key that is gone.
        private static func ask(_ name: String?, _ more: [CFString: Any]) throws -> Any? {
            var item = base.merging(more) { $1 }
            if let name { item[kSecAttrAccount] = name }
            var found: CFTypeRef?
            switch SecItemCopyMatching(item as CFDictionary, &found) {
            case errSecSuccess: return found
            case errSecItemNotFound: return nil
            default: throw HostError.Temporary
            }
        }
    }
#endif
