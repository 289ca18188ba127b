package tlsutil_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/tlsutil"
)

func identity(t testing.TB) (*tlsutil.Identity, *x509.Certificate) {
	t.Helper()
	made, err := tlsutil.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tlsutil.ParseDER(made.DER())
	if err != nil {
		t.Fatal(err)
	}
	return made, certificate
}

func TestIdentityHasThePortableProfile(t *testing.T) {
	_, c := identity(t)
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		t.Errorf("the key is a %T", c.PublicKey)
	}
	if c.IsCA || !c.BasicConstraintsValid {
		t.Errorf("CA %t, basic constraints %t", c.IsCA, c.BasicConstraintsValid)
	}
	if !slices.Equal(c.DNSNames, []string{"localhost"}) {
		t.Errorf("names %v", c.DNSNames)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth} {
		if !slices.Contains(c.ExtKeyUsage, usage) {
			t.Errorf("usage %v is missing", usage)
		}
	}
	if now := time.Now(); now.Before(c.NotBefore) || now.After(c.NotAfter) || c.SerialNumber.Sign() <= 0 {
		t.Errorf("from %v to %v, serial number %v", c.NotBefore, c.NotAfter, c.SerialNumber)
	}
}

func TestIdentitiesDiffer(t *testing.T) {
	_, one := identity(t)
	_, other := identity(t)
	if one.Equal(other) || one.SerialNumber.Cmp(other.SerialNumber) == 0 {
		t.Error("two identities are equal")
	}
}

func TestCertificateSurvivesBothEncodings(t *testing.T) {
	made, want := identity(t)
	got, err := tlsutil.ParsePEM(made.PEM())
	if err != nil || !got.Equal(want) {
		t.Errorf("PEM: %v, %v", got, err)
	}
	got, err = tlsutil.ParsePEM("\n" + strings.ReplaceAll(made.PEM(), "\n", "\r\n"))
	if err != nil || !got.Equal(want) {
		t.Errorf("PEM with CRLF: %v, %v", got, err)
	}
	got, err = tlsutil.ParseField(made.Field())
	if err != nil || !got.Equal(want) {
		t.Errorf("field: %v, %v", got, err)
	}
	made.DER()[0] = 0
	if !bytes.Equal(made.DER(), want.Raw) {
		t.Error("DER did not return a copy")
	}
}

func TestParsePEMAndParseDERRefuseMalformedCertificates(t *testing.T) {
	made, _ := identity(t)
	for name, text := range map[string]string{
		"empty":                             "",
		"garbage":                           "garbage",
		"not DER":                           "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"a key":                             strings.ReplaceAll(made.PEM(), "CERTIFICATE", "PRIVATE KEY"),
		"cut":                               made.PEM()[:200],
		"huge":                              strings.Repeat("A", 1<<20),
		"text around":                       "certificate:\n" + made.PEM(),
		"headers":                           strings.Replace(made.PEM(), "-----\n", "-----\nProc-Type: 4\n\n", 1),
		"two":                               made.PEM() + made.PEM(),
		"behind an unreadable block":        strings.Replace(made.PEM(), "MII", "***", 1) + made.PEM(),
		"behind the beginning of another's": "-----BEGIN CERTIFICATE-----\nAAAA\n" + made.PEM(),
		"huge body":                         "-----BEGIN CERTIFICATE-----\n" + strings.Repeat("AAAA\n", 5500) + "-----END CERTIFICATE-----\n",
	} {
		t.Run(name, func(t *testing.T) {
			var e *tlsutil.CertificateError
			if _, err := tlsutil.ParsePEM(text); !errors.As(err, &e) || len(err.Error()) > 300 {
				t.Errorf("got %v", err)
			}
		})
	}
	for name, der := range map[string][]byte{"nil": nil, "zeros": make([]byte, 100), "huge": make([]byte, 1<<20), "cut": made.DER()[:100]} {
		t.Run("DER "+name, func(t *testing.T) {
			if _, err := tlsutil.ParseDER(der); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestParseIdentityReadsTheSecretOfAnIdentity(t *testing.T) {
	made, certificate := identity(t)
	secret, err := made.MarshalSecret()
	if err != nil {
		t.Fatal(err)
	}
	again, err := tlsutil.ParseIdentity(secret)
	if err != nil || !bytes.Equal(again.DER(), made.DER()) {
		t.Fatalf("it reads as another identity, %v", err)
	}
	other, pinned := identity(t)
	clientErr, serverErr := shake(t, tlsutil.Client(again, pinned), tlsutil.Server(other, certificate))
	if clientErr != nil || serverErr != nil {
		t.Errorf("the successor's handshake: %v, %v", clientErr, serverErr)
	}
}

func TestParseIdentityRefuses(t *testing.T) {
	made, _ := identity(t)
	other, _ := identity(t)
	secret, err := made.MarshalSecret()
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimPrefix(secret, made.PEM())
	for name, text := range map[string]string{
		"nothing":             "",
		"a certificate alone": made.PEM(),
		"a key alone":         key,
		"another's key":       other.PEM() + key,
		"half a key":          secret[:len(secret)-60],
		"too much":            secret + strings.Repeat(" ", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tlsutil.ParseIdentity(text)
			var failure *tlsutil.CertificateError
			if !errors.As(err, &failure) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestParseFieldRefusesMalformedFields(t *testing.T) {
	made, _ := identity(t)
	for name, text := range map[string]string{
		"empty":         "",
		"padded":        made.Field() + "==",
		"URL alphabet":  strings.NewReplacer("+", "-", "/", "_").Replace(made.Field()) + "-_",
		"a line break":  made.Field()[:10] + "\n" + made.Field()[10:],
		"cut":           made.Field()[:100],
		"PEM":           made.PEM(),
		"huge":          strings.Repeat("A", 1<<20),
		"with a tail":   made.Field() + "AAAA",
		"trailing bits": "MAB",
	} {
		var e *tlsutil.CertificateError
		if _, err := tlsutil.ParseField(text); !errors.As(err, &e) || len(err.Error()) > 300 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// connected returns both ends of a connection. A net.Pipe would block, because both sides
// may write at once.
func connected(t *testing.T) (near, far net.Conn) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if near, err = new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

// shake runs the handshake of both sides. A TLS 1.3 client finishes before the server
// refuses it, so each side also reads a byte.
func shake(t *testing.T, client, server *tls.Config) (clientErr, serverErr error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	near, far := connected(t)
	side := func(conn *tls.Conn) error {
		defer conn.NetConn().Close()
		if err := conn.HandshakeContext(ctx); err != nil {
			return err
		}
		wrote := make(chan struct{})
		go func() {
			defer close(wrote)
			_, _ = conn.Write([]byte{1})
		}()
		_, err := io.ReadFull(conn, make([]byte, 1))
		if err == nil {
			<-wrote
		}
		return err
	}
	done := make(chan error, 1)
	go func() { done <- side(tls.Server(far, server)) }()
	clientErr = side(tls.Client(near, client))
	return clientErr, <-done
}

func TestPinAcceptsOnlyThePinnedPeer(t *testing.T) {
	host, hostCert := identity(t)
	plugin, pluginCert := identity(t)
	stranger, _ := identity(t)
	tests := map[string]struct {
		client, server *tls.Config
		ok             bool
	}{
		"host dials plugin":     {tlsutil.Client(host, pluginCert), tlsutil.Server(plugin, hostCert), true},
		"plugin dials host":     {tlsutil.Client(plugin, hostCert), tlsutil.Server(host, pluginCert), true},
		"a stranger dials":      {tlsutil.Client(stranger, pluginCert), tlsutil.Server(plugin, hostCert), false},
		"a stranger serves":     {tlsutil.Client(host, pluginCert), tlsutil.Server(stranger, hostCert), false},
		"without a certificate": {withoutCertificate(tlsutil.Client(host, pluginCert)), tlsutil.Server(plugin, hostCert), false},
		"a version before 1.2":  {upTo(tlsutil.Client(host, pluginCert), tls.VersionTLS11), tlsutil.Server(plugin, hostCert), false},
		"TLS 1.2":               {upTo(tlsutil.Client(host, pluginCert), tls.VersionTLS12), tlsutil.Server(plugin, hostCert), true},
		"oneself":               {tlsutil.Client(host, hostCert), tlsutil.Server(plugin, hostCert), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			clientErr, serverErr := shake(t, test.client, test.server)
			if ok := clientErr == nil && serverErr == nil; ok != test.ok {
				t.Errorf("client: %v, server: %v", clientErr, serverErr)
			}
		})
	}
}

func withoutCertificate(config *tls.Config) *tls.Config {
	config.Certificates = nil
	return config
}

func upTo(config *tls.Config, version uint16) *tls.Config {
	config.MinVersion, config.MaxVersion = 0, version
	return config
}

// Each side makes an identity, tells the other side its certificate, and trusts only the
// certificate it received.
func Example() {
	host, _ := tlsutil.NewIdentity()
	plugin, _ := tlsutil.NewIdentity()

	told, _ := tlsutil.ParsePEM(host.PEM())       // PLUGIN_CLIENT_CERT
	answered, _ := tlsutil.ParseDER(plugin.DER()) // the handshake's sixth field

	near, far := net.Pipe()
	go func() {
		conn := tls.Server(far, tlsutil.Server(plugin, told))
		_, _ = io.WriteString(conn, "hello")
		_ = conn.Close()
	}()
	conn := tls.Client(near, tlsutil.Client(host, answered))
	text, err := io.ReadAll(conn)
	fmt.Println(string(text), err)
	// Output: hello <nil>
}

func ExampleNewIdentity() {
	identity, err := tlsutil.NewIdentity()
	if err != nil {
		fmt.Println(err)
		return
	}
	certificate, err := tlsutil.ParseDER(identity.DER())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(certificate.DNSNames, certificate.PublicKeyAlgorithm, certificate.IsCA)
	// Output: [localhost] ECDSA false
}

func BenchmarkNewIdentity(b *testing.B) {
	for b.Loop() {
		if _, err := tlsutil.NewIdentity(); err != nil {
			b.Fatal(err)
		}
	}
}
