package host_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/tlsutil"
)

// serverName is the name of the plugin in the certificates of these tests.
const serverName = "plugin.test"

// writeCertificates makes an authority and a certificate for each of host and
// plugin in a new directory.
func writeCertificates(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	template := func(serial int64, name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial),
			Subject:      pkix.Name{CommonName: name},
			DNSNames:     []string{name},
			NotBefore:    time.Now().Add(-time.Hour),
			NotAfter:     time.Now().Add(time.Hour),
		}
	}
	write := func(name, kind string, der []byte) {
		text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	authority := template(1, "authority.test")
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authorityKey := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		t.Fatal(err)
	}
	write("ca.pem", "CERTIFICATE", der)
	for i, name := range []string{"host", "plugin"} {
		key := newKey(t)
		der, err := x509.CreateCertificate(rand.Reader, template(int64(i+2), serverName), authority, key.Public(), authorityKey)
		if err != nil {
			t.Fatal(err)
		}
		write(name+".pem", "CERTIFICATE", der)
		if der, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
			t.Fatal(err)
		}
		write(name+"-key.pem", "PRIVATE KEY", der)
	}
	return dir
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// files are those of host or plugin.
func files(dir, side string) tlsutil.Files {
	return tlsutil.Files{
		Certificate: filepath.Join(dir, side+".pem"),
		Key:         filepath.Join(dir, side+"-key.pem"),
		CA:          filepath.Join(dir, "ca.pem"),
		ServerName:  serverName,
	}
}

func TestCertificatesOfOnesOwnCarryCalls(t *testing.T) {
	dir := writeCertificates(t)
	fromFunction := func(ctx context.Context) (*core.TLS, error) { return core.TLSFiles(files(dir, "host"))(ctx) }
	for name, provider := range map[string]core.TLSProvider{
		"from files":      core.TLSFiles(files(dir, "host")),
		"from a function": fromFunction,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t, "static", dir)
			cfg.TLS = provider
			if got := call(t, launch(t, cfg), "echo", "hello"); got != "hello" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestAPluginsOwnTLSWinsOverTheHostsAutoMTLS(t *testing.T) {
	cfg := config(t, "static", writeCertificates(t))
	cfg.AutoMTLS = host.MTLSRequired
	mention(t, fail(t, within(t), cfg), "did not answer with a certificate")
}

func TestAnotherAuthorityIsNotTrusted(t *testing.T) {
	cfg := config(t, "static", writeCertificates(t))
	cfg.TLS = core.TLSFiles(files(writeCertificates(t), "host"))
	failure := fail(t, within(t), cfg)
	if failure.Stage != host.StageConnect {
		t.Errorf("stage %s", failure.Stage)
	}
	mention(t, failure, "signed by unknown authority")
}

func TestTLSOnOneSideOnlyFailsTheLaunch(t *testing.T) {
	dir := writeCertificates(t)
	onlyPlugin := config(t, "static", dir)
	onlyHost := config(t, "serve", "")
	onlyHost.TLS = core.TLSFiles(files(dir, "host"))
	preferred := onlyPlugin
	preferred.AutoMTLS = host.MTLSPreferred
	for name, test := range map[string]struct {
		cfg   host.Config
		words []string
	}{
		"the plugin's": {onlyPlugin, []string{"without TLS", "the host needs the like in Config.TLS"}},
		"the plugin's, and AutoMTLS is preferred": {preferred, []string{"without TLS", "the host needs the like in Config.TLS"}},
		"the host's": {onlyHost, []string{"under the TLS of Config.TLS", "does it have TLS"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.cfg.StartTimeout = 5 * time.Second
			failure := fail(t, within(t), test.cfg)
			if failure.Stage != host.StageConnect {
				t.Errorf("stage %s, %v", failure.Stage, failure)
			}
			mention(t, failure, test.words...)
		})
	}
}
