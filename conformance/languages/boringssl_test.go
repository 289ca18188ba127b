package languages_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/conformance/languages"
)

// boringAlgorithms are the signature algorithms that BoringSSL accepts by default, in its
// order (kVerifySignatureAlgorithms in its ssl/extensions.cc). The one with SHA-1 is left
// out, because no present TLS library uses it.
func boringAlgorithms() []string {
	return []string{
		"ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256",
		"ecdsa_secp384r1_sha384", "rsa_pss_rsae_sha384", "rsa_pkcs1_sha384",
		"rsa_pss_rsae_sha512", "rsa_pkcs1_sha512",
	}
}

// p521 is missing from boringAlgorithms.
const p521 = "ecdsa_secp521r1_sha512"

// useAlgorithms restricts plugins on OpenSSL to these signature algorithms, and to
// BoringSSL's curves.
func useAlgorithms(t *testing.T, algorithms []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "openssl.cnf")
	text := "openssl_conf = all\n" +
		"[all]\nssl_conf = tls\n" +
		"[tls]\nsystem_default = everywhere\n" +
		"[everywhere]\nMinProtocol = TLSv1.2\nGroups = X25519:P-256:P-384\n" +
		"SignatureAlgorithms = " + strings.Join(algorithms, ":") + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OPENSSL_CONF", file)
}

// A host on go-plugin has a certificate on P-521, and BoringSSL refuses it. With P-521
// accepted the connection works, so this is the only obstacle.
func TestPluginsOnBoringSSLServeOurHostAndNotGoPlugins(t *testing.T) {
	python := languages.Python()
	for _, test := range []struct {
		name       string
		algorithms []string
		refused    []string // the hosts
	}{
		{"BoringSSL's algorithms", boringAlgorithms(), []string{theirHost}},
		{"and P-521", append(boringAlgorithms(), p521), nil},
	} {
		for hostName, launch := range hosts() {
			t.Run(test.name+"/"+hostName, func(t *testing.T) {
				if test.refused == nil {
					languages.NeedsOpenSSL(t)
				}
				useAlgorithms(t, test.algorithms)
				plugin := launch(t, python, true)
				if !slices.Contains(test.refused, hostName) {
					useStore(t, plugin)
					return
				}
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				if err := plugin.ping(ctx); status.Code(err) != codes.Unavailable {
					t.Errorf("ping: %v, expected no connection", err)
				}
				// The plugin did not offer the host's signature algorithm, so the host sent
				// no certificate.
				err := plugin.log.WaitUntil(ctx, func(log string) bool {
					log = strings.ReplaceAll(strings.ToLower(log), "_", " ")
					return strings.Contains(log, "peer did not return a certificate")
				})
				if err != nil {
					t.Errorf("the plugin does not give the reason: %v\n%s", err, plugin.log)
				}
			})
		}
	}
}
