// What of OpenSSL the tests use. Its macros are functions here, because Swift cannot see macros that cast.
#include <openssl/evp.h>
#include <openssl/x509.h>

static inline EVP_PKEY *p256_generate(void) {
    return EVP_EC_gen("P-256");
}

static inline int gcm_set_tag(EVP_CIPHER_CTX *context, unsigned char *tag) {
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, tag);
}

static inline int gcm_get_tag(EVP_CIPHER_CTX *context, unsigned char *tag) {
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, tag);
}
