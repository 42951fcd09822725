#if !canImport(CryptoKit)
    import COpenSSL
    import Foundation

    /// OpenSSL refused a basic operation.
    struct OpenSSLError: Error {}

    /// A P-256 key pair in memory: what a phone keeps in hardware.
    package final class P256 {
        private let key: OpaquePointer

        private init(_ key: OpaquePointer?) throws {
            guard let key else { throw OpenSSLError() }
            self.key = key
        }

        deinit { EVP_PKEY_free(key) }

        static func generate() throws -> P256 { try P256(p256_generate()) }

        /// From what `der` gave.
        static func read(_ der: Data) throws -> P256 {
            let key = der.withUnsafeBytes { bytes in
                var at = bytes.bindMemory(to: UInt8.self).baseAddress
                return d2i_AutoPrivateKey(nil, &at, der.count)
            }
            return try P256(key)
        }

        /// The private key (SEC 1, RFC 5915).
        func der() throws -> Data { try encoded { i2d_PrivateKey(key, $0) } }

        /// The public key as SubjectPublicKeyInfo (RFC 5480).
        func spki() throws -> Data { try encoded { i2d_PUBKEY(key, $0) } }

        private func encoded(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) throws -> Data {
            let size = encode(nil)
            guard size > 0 else { throw OpenSSLError() }
            var data = Data(count: Int(size))
            let written = data.withUnsafeMutableBytes { bytes in
                var at = bytes.bindMemory(to: UInt8.self).baseAddress
                return encode(&at)
            }
            guard written == size else { throw OpenSSLError() }
            return data
        }

        /// ECDSA over SHA-256 of the message, in DER.
        func sign(_ message: Data) throws -> Data {
            guard let context = EVP_MD_CTX_new() else { throw OpenSSLError() }
            defer { EVP_MD_CTX_free(context) }
            guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1 else { throw OpenSSLError() }
            var size = 80
            var signature = Data(count: size)
            let done = signature.withUnsafeMutableBytes { out in
                message.withUnsafeBytes { bytes in
                    EVP_DigestSign(
                        context, out.bindMemory(to: UInt8.self).baseAddress, &size,
                        bytes.bindMemory(to: UInt8.self).baseAddress, message.count)
                }
            }
            guard done == 1 else { throw OpenSSLError() }
            return signature.prefix(size)
        }

        /// Whether `signature` is one of `spki`'s owner over the message. What cannot be read is not valid.
        package static func verify(_ signature: Data, of message: Data, by spki: Data) -> Bool {
            let key = spki.withUnsafeBytes { bytes in
                var at = bytes.bindMemory(to: UInt8.self).baseAddress
                return d2i_PUBKEY(nil, &at, spki.count)
            }
            guard let key, let context = EVP_MD_CTX_new() else { return false }
            defer {
                EVP_MD_CTX_free(context)
                EVP_PKEY_free(key)
            }
            guard EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1 else { return false }
            return signature.withUnsafeBytes { signature in
                message.withUnsafeBytes { message in
                    EVP_DigestVerify(
                        context, signature.bindMemory(to: UInt8.self).baseAddress, signature.count,
                        message.bindMemory(to: UInt8.self).baseAddress, message.count)
                }
            } == 1
        }
    }

    /// AES-256-GCM (NIST SP 800-38D) with a 12-byte nonce and a 16-byte tag behind the text.
    enum Gcm {
        private static let nonceSize = 12
        static let tagSize = 16

        static func seal(_ plain: Data, key: Data, nonce: Data, context: Data) throws -> Data {
            let cipher = try Cipher(key: key, nonce: nonce, sealing: true)
            try cipher.addContext(context)
            let text = try cipher.update(plain)
            var tag = [UInt8](repeating: 0, count: tagSize)
            guard EVP_EncryptFinal_ex(cipher.context, nil, &cipher.rest) == 1, gcm_get_tag(cipher.context, &tag) == 1
            else { throw OpenSSLError() }
            return text + tag
        }

        /// Throws for anything that was not sealed with this key, nonce and context.
        static func open(_ sealed: Data, key: Data, nonce: Data, context: Data) throws -> Data {
            guard sealed.count >= tagSize else { throw OpenSSLError() }
            let cipher = try Cipher(key: key, nonce: nonce, sealing: false)
            try cipher.addContext(context)
            let plain = try cipher.update(sealed.dropLast(tagSize))
            var tag = [UInt8](sealed.suffix(tagSize))
            guard gcm_set_tag(cipher.context, &tag) == 1, EVP_DecryptFinal_ex(cipher.context, nil, &cipher.rest) == 1
            else { throw OpenSSLError() }
            return plain
        }

        private final class Cipher {
            let context: OpaquePointer
            let sealing: Bool
            var rest: Int32 = 0

            init(key: Data, nonce: Data, sealing: Bool) throws {
                guard key.count == 32, nonce.count == nonceSize, let context = EVP_CIPHER_CTX_new()
                else { throw OpenSSLError() }
                (self.context, self.sealing) = (context, sealing)
                let begun = EVP_CipherInit_ex(
                    context, EVP_aes_256_gcm(), nil, [UInt8](key), [UInt8](nonce), sealing ? 1 : 0)
                guard begun == 1 else { throw OpenSSLError() }
            }

            deinit { EVP_CIPHER_CTX_free(context) }

            func addContext(_ bytes: Data) throws {
                var size: Int32 = 0
                guard EVP_CipherUpdate(context, nil, &size, [UInt8](bytes), Int32(bytes.count)) == 1
                else { throw OpenSSLError() }
            }

            func update(_ bytes: Data) throws -> Data {
                var out = [UInt8](repeating: 0, count: bytes.count + tagSize)
                var size: Int32 = 0
                guard EVP_CipherUpdate(context, &out, &size, [UInt8](bytes), Int32(bytes.count)) == 1
                else { throw OpenSSLError() }
                return Data(out.prefix(Int(size)))
            }
        }
    }
#endif
