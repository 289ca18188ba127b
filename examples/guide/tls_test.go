package guide_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
	"github.com/jackfield-go/jackfield/tlsutil"
)

func TestIdentitiesKnowEachOther(t *testing.T) {
	other, err := tlsutil.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	sent := other.PEM()

	own, err := tlsutil.NewIdentity() // send own.PEM() to the other side
	if err != nil {
		t.Fatal(err)
	}
	peer, err := tlsutil.ParsePEM(sent) // received from the other side
	if err != nil {
		t.Fatal(err)
	}
	clientConfig := tlsutil.Client(own, peer) // to dial it
	serverConfig := tlsutil.Server(own, peer) // to serve it

	back, err := tlsutil.ParsePEM(own.PEM())
	if err != nil {
		t.Fatal(err)
	}
	shake(t, clientConfig, tlsutil.Server(other, back))
	shake(t, tlsutil.Client(other, back), serverConfig)
}

func shake(t *testing.T, client, server *tls.Config) {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	served := make(chan error, 1)
	go func() {
		_, err := tls.Server(there, server).Write([]byte("!"))
		served <- err
	}()
	if _, err := tls.Client(here, client).Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
}

// Certificates from the application's own authority, on both sides.
func TestCertificatesFromFiles(t *testing.T) {
	files := certificateFiles(t)
	hostCertificate, hostKey := files("host")
	pluginCertificate, pluginKey := files("plugin")
	authority := filepath.Join(filepath.Dir(hostCertificate), "ca.pem")

	hostConfig := host.Config{
		Handshake: greeter.Handshake,
		Versions:  greeter.Versions,
		TLS: core.TLSFiles(tlsutil.Files{
			Certificate: hostCertificate,
			Key:         hostKey,
			CA:          authority,
		}),
	}
	pluginConfig := plugin.Config{
		Handshake:  greeter.Handshake,
		Versions:   greeter.Versions,
		Implements: greeter.Plugin.Bind(polite{slog.New(slog.DiscardHandler)}),
		TLS: core.TLSFiles(tlsutil.Files{
			Certificate: pluginCertificate,
			Key:         pluginKey,
			CA:          authority,
		}),
	}
	client := plugintest.Launch(t, hostConfig, pluginConfig)
	if err := client.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// certificateFiles makes an authority and returns a function for certificates
// signed by it. Each has its own name and is valid for "localhost".
func certificateFiles(t *testing.T) func(name string) (certificate, key string) {
	t.Helper()
	dir := t.TempDir()
	template := func(serial int64) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial),
			Subject:      pkix.Name{CommonName: "guide"},
			DNSNames:     []string{tlsutil.ServerName},
			NotBefore:    time.Now().Add(-time.Hour),
			NotAfter:     time.Now().Add(time.Hour),
		}
	}
	ca := template(1)
	ca.IsCA, ca.BasicConstraintsValid = true, true
	caKey := writeKey(t, filepath.Join(dir, "ca-key.pem"))
	writeCertificate(t, filepath.Join(dir, "ca.pem"), ca, ca, caKey.Public(), caKey)
	serial := int64(1)
	return func(name string) (certificate, key string) {
		serial++
		certificate, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+"-key.pem")
		writeCertificate(t, certificate, template(serial), ca, writeKey(t, key).Public(), caKey)
		return certificate, key
	}
}

func writeKey(t *testing.T, path string) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, path, "PRIVATE KEY", der)
	return key
}

func writeCertificate(t *testing.T, path string, template, parent *x509.Certificate, key any, signer *ecdsa.PrivateKey) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, signer)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, path, "CERTIFICATE", der)
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
