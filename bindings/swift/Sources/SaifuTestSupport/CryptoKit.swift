#if canImport(CryptoKit)
    import CryptoKit
    import Foundation

    /// A P-256 key pair in memory: what a phone keeps in hardware.
    package struct P256 {
        private let key: CryptoKit.P256.Signing.PrivateKey

        static func generate() throws -> P256 { P256(key: CryptoKit.P256.Signing.PrivateKey()) }

        /// From what `der` gave.
        static func read(_ der: Data) throws -> P256 {
            P256(key: try CryptoKit.P256.Signing.PrivateKey(derRepresentation: der))
        }

        /// The private key.
        func der() throws -> Data { key.derRepresentation }

        /// The public key as SubjectPublicKeyInfo (RFC 5480).
        func spki() throws -> Data { key.publicKey.derRepresentation }

        /// ECDSA over SHA-256 of the message, in DER.
        func sign(_ message: Data) throws -> Data { try key.signature(for: message).derRepresentation }

        /// Whether `signature` is one of `spki`'s owner over the message. What cannot be read is not valid.
        package static func verify(_ signature: Data, of message: Data, by spki: Data) -> Bool {
            guard let key = try? CryptoKit.P256.Signing.PublicKey(derRepresentation: spki),
                let signature = try? CryptoKit.P256.Signing.ECDSASignature(derRepresentation: signature)
            else { return false }
            return key.isValidSignature(signature, for: message)
        }
    }

    /// AES-256-GCM (NIST SP 800-38D) with a 12-byte nonce and a 16-byte tag behind the text.
    enum Gcm {
        private static let tagSize = 16

        static func seal(_ plain: Data, key: Data, nonce: Data, context: Data) throws -> Data {
            let nonce = try AES.GCM.Nonce(data: nonce)
            let box = try AES.GCM.seal(plain, using: SymmetricKey(data: key), nonce: nonce, authenticating: context)
            return box.ciphertext + box.tag
        }

        /// Throws for anything that was not sealed with this key, nonce and context.
        static func open(_ sealed: Data, key: Data, nonce: Data, context: Data) throws -> Data {
            let (text, tag) = (sealed.dropLast(tagSize), sealed.suffix(tagSize))
            let box = try AES.GCM.SealedBox(nonce: AES.GCM.Nonce(data: nonce), ciphertext: text, tag: tag)
            return try AES.GCM.open(box, using: SymmetricKey(data: key), authenticating: context)
        }
    }
#endif
