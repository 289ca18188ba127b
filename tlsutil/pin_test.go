package tlsutil_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/tlsutil"
)

// peerTLS returns go-plugin's equivalent of Client and Server, based on chains.
func (c *certificate) peerTLS(host *x509.Certificate) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(host)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{c.Raw}, PrivateKey: c.key}},
		RootCAs:      pool,
		ClientCAs:    pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ServerName:   tlsutil.ServerName,
		MinVersion:   tls.VersionTLS12,
	}
}

// Peers built on go-plugin mark their certificates as CAs and use P-521. Others leave out
// optional parts. Both sides accept all of them.
func TestPinAcceptsCertificatesOfAnyProfile(t *testing.T) {
	own, ownCertificate := identity(t)
	for name, peer := range map[string]*certificate{
		"a CA's on P-521": makeCertificate(t, elliptic.P521(), nil, func(c *x509.Certificate) {
			c.IsCA, c.BasicConstraintsValid = true, true
			c.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement | x509.KeyUsageCertSign
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
		}),
		"without any name":   makeCertificate(t, elliptic.P256(), nil, func(c *x509.Certificate) { c.DNSNames = nil }),
		"for servers alone":  makeCertificate(t, elliptic.P384(), nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
		"signed by somebody": makeCertificate(t, elliptic.P256(), authority(t), func(*x509.Certificate) {}),
	} {
		t.Run(name, func(t *testing.T) {
			clientErr, serverErr := shake(t, tlsutil.Client(own, peer.Certificate), peer.peerTLS(ownCertificate))
			if clientErr != nil || serverErr != nil {
				t.Errorf("dialled: client %v, server %v", clientErr, serverErr)
			}
			clientErr, serverErr = shake(t, peer.peerTLS(ownCertificate), tlsutil.Server(own, peer.Certificate))
			if clientErr != nil || serverErr != nil {
				t.Errorf("served: client %v, server %v", clientErr, serverErr)
			}
		})
	}
}

// A certificate signed by an announced CA differs from the announced certificate.
func TestPinRefusesCertificatesSignedByThePeer(t *testing.T) {
	own, ownCertificate := identity(t)
	ca := authority(t)
	signed := makeCertificate(t, elliptic.P256(), ca, func(*x509.Certificate) {})
	clientErr, _ := shake(t, tlsutil.Client(own, ca.Certificate), signed.peerTLS(ownCertificate))
	_, serverErr := shake(t, signed.peerTLS(ownCertificate), tlsutil.Server(own, ca.Certificate))
	for side, err := range map[string]error{"client": clientErr, "server": serverErr} {
		var pin *tlsutil.PinError
		if !errors.As(err, &pin) || pin.Announced == pin.Got {
			t.Errorf("%s: %v", side, err)
		}
	}
}

// A connection made after the certificate has expired still reaches the same peer.
func TestPinAcceptsAPeerAfterItsExpiry(t *testing.T) {
	own, ownCertificate := identity(t)
	expired := makeCertificate(t, elliptic.P256(), nil, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) })
	var validity *tlsutil.ValidityError
	if _, err := tlsutil.ParseDER(expired.Raw); !errors.As(err, &validity) {
		t.Errorf("announced: %v", err)
	}
	clientErr, serverErr := shake(t, tlsutil.Client(own, expired.Certificate), expired.peerTLS(ownCertificate))
	if clientErr != nil || serverErr != nil {
		t.Errorf("client %v, server %v", clientErr, serverErr)
	}
}

// The servers and clients of a broker use copies of the configuration.
func TestResumptionHappensWithThePeerAlone(t *testing.T) {
	host, hostCertificate := identity(t)
	plugin, pluginCertificate := identity(t)
	client, server := tlsutil.Client(host, pluginCertificate), tlsutil.Server(plugin, hostCertificate)
	resumed := 0
	for range 3 {
		copied := client.Clone()
		verify := copied.VerifyConnection
		copied.VerifyConnection = func(state tls.ConnectionState) error {
			if state.DidResume {
				resumed++
			}
			return verify(state)
		}
		if clientErr, serverErr := shake(t, copied, server.Clone()); clientErr != nil || serverErr != nil {
			t.Fatalf("client %v, server %v", clientErr, serverErr)
		}
	}
	if resumed != 2 {
		t.Errorf("%d of 2 were resumed", resumed)
	}

	// A session of one peer is worthless to the server of another.
	_, strangersCertificate := identity(t)
	other := tlsutil.Server(plugin, strangersCertificate)
	if clientErr, serverErr := shake(t, client, other); clientErr == nil && serverErr == nil {
		t.Error("resumed with a server that expects another peer")
	}
}

const fipsVariable = "TLSUTIL_TEST_FIPS"

func TestPinAndFilesWorkWithFIPS140Only(t *testing.T) {
	if os.Getenv(fipsVariable) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPinAndFilesWorkWithFIPS140Only$", "-test.v")
		cmd.Env = append(os.Environ(), fipsVariable+"=1", "GODEBUG=fips140=only")
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("PASS: TestPinAndFilesWorkWithFIPS140Only")) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	host, hostCertificate := identity(t)
	plugin, pluginCertificate := identity(t)
	if _, err := tlsutil.ParsePEM(host.PEM()); err != nil {
		t.Error(err)
	}
	for name, limit := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		client := tlsutil.Client(host, pluginCertificate)
		client.MaxVersion = limit
		if clientErr, serverErr := shake(t, client, tlsutil.Server(plugin, hostCertificate)); clientErr != nil || serverErr != nil {
			t.Errorf("%s: client %v, server %v", name, clientErr, serverErr)
		}
	}
	files := filesOf(t, authority(t), tlsutil.ServerName)
	client, err := files.Client()
	if err != nil {
		t.Fatal(err)
	}
	server, err := files.Server()
	if err != nil {
		t.Fatal(err)
	}
	if clientErr, serverErr := shake(t, client, server); clientErr != nil || serverErr != nil {
		t.Errorf("from files: client %v, server %v", clientErr, serverErr)
	}
}

// Go chooses the key-exchange groups: gRPC's C core accepts only P-256.
func TestPinAcceptsAPeerWithOnlyP256(t *testing.T) {
	host, hostCertificate := identity(t)
	plugin, pluginCertificate := identity(t)
	client, server := tlsutil.Client(host, pluginCertificate), tlsutil.Server(plugin, hostCertificate)
	server.CurvePreferences = []tls.CurveID{tls.CurveP256}
	if clientErr, serverErr := shake(t, client, server); clientErr != nil || serverErr != nil {
		t.Errorf("client %v, server %v", clientErr, serverErr)
	}
}

func FuzzParse(f *testing.F) {
	made, err := tlsutil.NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(made.PEM(), made.DER())
	f.Add(made.Field(), []byte{0x30, 0x82})
	secret, err := made.MarshalSecret()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(secret, []byte(nil))
	f.Add(strings.Repeat("-----BEGIN CERTIFICATE-----\n", 3), []byte(nil))
	f.Fuzz(func(t *testing.T, text string, der []byte) {
		for name, parse := range map[string]func() (*x509.Certificate, error){
			"PEM":   func() (*x509.Certificate, error) { return tlsutil.ParsePEM(text) },
			"field": func() (*x509.Certificate, error) { return tlsutil.ParseField(text) },
			"DER":   func() (*x509.Certificate, error) { return tlsutil.ParseDER(der) },
		} {
			certificate, err := parse()
			if (certificate == nil) == (err == nil) {
				t.Errorf("%s: %v, %v", name, certificate, err)
			}
			if certificate != nil && len(certificate.Raw) > tlsutil.MaxCertificate {
				t.Errorf("%s: %d bytes", name, len(certificate.Raw))
			}
		}
		if identity, err := tlsutil.ParseIdentity(text); (identity == nil) == (err == nil) {
			t.Errorf("secret: %v, %v", identity, err)
		}
	})
}
