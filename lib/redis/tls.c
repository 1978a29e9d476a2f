#include "redis/tls.h"

#include <arpa/inet.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

static const char *last_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason == NULL ? "unknown reason" : reason;
}

static bool fails(struct redis_end *why, const char *setting, const char *file)
{
	redis_end_set(why, "correct the file, or the setting", "%s %s: %s", setting, file,
		      last_reason());
	return false;
}

static bool read_files(SSL_CTX *ctx, const struct redis_tls *conf, struct redis_end *why)
{
	ERR_clear_error();
	if (conf->ca == NULL)
		SSL_CTX_set_default_verify_paths(ctx);
	else if (SSL_CTX_load_verify_file(ctx, conf->ca) != 1)
		return fails(why, "redis-ca", conf->ca);
	if (conf->cert == NULL)
		return true;
	if (SSL_CTX_use_certificate_chain_file(ctx, conf->cert) != 1)
		return fails(why, "redis-cert", conf->cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, conf->key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		return fails(why, "redis-key", conf->key);
	return true;
}

static SSL_CTX *new_context(const struct redis_tls *conf, struct redis_end *why)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL) {
		redis_end_set(why, "see OpenSSL's configuration", "OpenSSL: %s",
			      last_reason());
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (read_files(ctx, conf, why))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

bool redis_tls_check(const struct redis_tls *conf, struct redis_end *why)
{
	SSL_CTX *ctx = new_context(conf, why);

	SSL_CTX_free(ctx);
	return ctx != NULL;
}

static bool is_address(const char *host)
{
	struct in6_addr in;

	return inet_pton(AF_INET, host, &in) == 1 || inet_pton(AF_INET6, host, &in) == 1;
}

static bool expect_name(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

struct ssl_st *redis_tls_new(const struct redis_tls *conf, const char *host,
			     struct redis_end *why)
{
	SSL_CTX *ctx = new_context(conf, why);
	SSL *ssl = ctx == NULL ? NULL : SSL_new(ctx);

	SSL_CTX_free(ctx); /* ssl has its own reference */
	if (ssl == NULL || expect_name(ssl, host))
		return ssl;
	redis_end_set(why, "give --redis a name that can stand in a certificate",
		      "TLS: %s", last_reason());
	SSL_free(ssl);
	return NULL;
}

/* ---- the end ---- */

static void say_verify(long result, struct redis_end *out)
{
	const char *fact = X509_verify_cert_error_string(result);
	const char *hint = "see to the certificate of Redis";

	switch (result) {
	case X509_V_ERR_CERT_HAS_EXPIRED: hint = "renew the certificate of Redis"; break;
	case X509_V_ERR_CERT_NOT_YET_VALID: hint = "see the clocks of both hosts"; break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		hint = "give --redis a name that the certificate is for, or Redis a "
		       "certificate for this name";
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		hint = "give --redis-ca the authority that has signed it";
		break;
	default: break;
	}
	redis_end_set(out, hint, "the certificate of Redis is refused: %s", fact);
}

static void say_reason(unsigned long code, struct redis_end *out)
{
	const char *text = ERR_reason_error_string(code);
	const char *hint = "see to TLS of Redis";

	switch (ERR_GET_REASON(code)) {
	case SSL_R_WRONG_VERSION_NUMBER:
		hint = "give --redis the TLS port of Redis, or write redis:// without "
		       "TLS";
		break;
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE: /* what TLS 1.2 says of none */
		hint = "give --redis-cert and --redis-key: Redis wants a certificate";
		break;
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
		hint = "give --redis-cert a certificate that Redis accepts";
		break;
	default: break;
	}
	redis_end_set(out, hint, "TLS: %s", text == NULL ? "unknown reason" : text);
}

bool redis_tls_why(struct bufferevent *bev, short what, struct redis_end *out)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);
	unsigned long code;
	long result;

	if (ssl == NULL || !(what & BEV_EVENT_ERROR))
		return false;
	code = bufferevent_get_openssl_error(bev);
	result = SSL_get_verify_result(ssl);
	if (result != X509_V_OK)
		say_verify(result, out);
	else if (code != 0 && ERR_GET_REASON(code) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
		say_reason(code, out);
	else
		return false;
	return true;
}
