package tlsutil_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/tlsutil"
)

// certificate is a test's own certificate and its key.
type certificate struct {
	*x509.Certificate

	key *ecdsa.PrivateKey
}

// makeCertificate signs a certificate with signer, or with its own key if signer is nil.
func makeCertificate(t *testing.T, curve elliptic.Curve, signer *certificate, change func(*x509.Certificate)) *certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "test"},
		DNSNames:     []string{tlsutil.ServerName},
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(time.Hour),
	}
	change(template)
	if signer == nil {
		signer = &certificate{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.Certificate, key.Public(), signer.key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &certificate{made, key}
}

func authority(t *testing.T) *certificate {
	t.Helper()
	return makeCertificate(t, elliptic.P256(), nil, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true })
}

// write writes the certificate and its key as PEM into dir.
func (c *certificate) write(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+"-key.pem")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: c.Raw},
		keyFile:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// filesOf writes files with a certificate for name, signed by ca.
func filesOf(t *testing.T, ca *certificate, name string) tlsutil.Files {
	t.Helper()
	dir := t.TempDir()
	leaf := makeCertificate(t, elliptic.P256(), ca, func(c *x509.Certificate) { c.DNSNames = []string{name} })
	var files tlsutil.Files
	files.Certificate, files.Key = leaf.write(t, dir, "own")
	files.CA, _ = ca.write(t, dir, "ca")
	return files
}

func TestFilesMakeBothSides(t *testing.T) {
	ca := authority(t)
	own := filesOf(t, ca, tlsutil.ServerName)
	named := filesOf(t, ca, "plugin.test")
	asNamed := own
	asNamed.ServerName = "plugin.test"
	bare := tlsutil.Files{CA: own.CA}
	tests := map[string]struct {
		client, server tlsutil.Files
		ok             bool
	}{
		"of one authority":               {own, own, true},
		"a name beside localhost":        {asNamed, named, true},
		"the wrong name":                 {own, named, false},
		"a client without a certificate": {bare, own, false},
		"a client of another authority":  {clientOf(filesOf(t, authority(t), tlsutil.ServerName), own.CA), own, false},
		"a server of another authority":  {own, filesOf(t, authority(t), tlsutil.ServerName), false},
		"a server that does not ask":     {bare, tlsutil.Files{Certificate: own.Certificate, Key: own.Key}, true},
		"a client with the system's CAs": {tlsutil.Files{}, own, false},
		"a certificate not asked for":    {own, tlsutil.Files{Certificate: own.Certificate, Key: own.Key}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client, err := test.client.Client()
			if err != nil {
				t.Fatal(err)
			}
			server, err := test.server.Server()
			if err != nil {
				t.Fatal(err)
			}
			clientErr, serverErr := shake(t, client, server)
			if ok := clientErr == nil && serverErr == nil; ok != test.ok {
				t.Errorf("client: %v, server: %v", clientErr, serverErr)
			}
		})
	}
}

// clientOf returns a client that trusts the authority ca instead of its own.
func clientOf(files tlsutil.Files, ca string) tlsutil.Files {
	files.CA = ca
	return files
}

func TestFilesErrorNamesTheFile(t *testing.T) {
	good := filesOf(t, authority(t), tlsutil.ServerName)
	other := filesOf(t, authority(t), tlsutil.ServerName)
	garbage := filepath.Join(t.TempDir(), "garbage.pem")
	if err := os.WriteFile(garbage, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	huge := filepath.Join(t.TempDir(), "huge.pem")
	if err := os.WriteFile(huge, []byte(strings.Repeat("A", 5<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		files tlsutil.Files
		words string
	}{
		"a certificate without a key": {tlsutil.Files{Certificate: good.Certificate}, "set both"},
		"a key without a certificate": {tlsutil.Files{Key: good.Key}, "set both"},
		"another certificate's key":   {tlsutil.Files{Certificate: good.Certificate, Key: other.Key}, "Certificate and Key"},
		"no certificate":              {tlsutil.Files{Certificate: garbage, Key: good.Key}, garbage},
		"no authority":                {tlsutil.Files{Certificate: good.Certificate, Key: good.Key, CA: garbage}, garbage},
		"a huge file":                 {tlsutil.Files{Certificate: good.Certificate, Key: good.Key, CA: huge}, "exceeds the size limit"},
	} {
		t.Run(name, func(t *testing.T) {
			for side, read := range map[string]func() error{
				"client": func() error { _, err := test.files.Client(); return err },
				"server": func() error { _, err := test.files.Server(); return err },
			} {
				var e *tlsutil.FilesError
				if err := read(); !errors.As(err, &e) || !strings.Contains(err.Error(), test.words) {
					t.Errorf("%s: %v", side, err)
				}
			}
		})
	}
	if _, err := (tlsutil.Files{CA: "missing.pem"}).Client(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := (tlsutil.Files{}).Server(); err == nil {
		t.Error("a server without a certificate")
	}
}

// Otherwise only the other side would refuse the certificate, and only its log would give
// the reason.
func TestFilesRefuseAnOutdatedOwnCertificate(t *testing.T) {
	ca := authority(t)
	for name, test := range map[string]struct {
		from, to time.Duration
		words    string
	}{
		"expired":       {-2 * time.Hour, -time.Hour, "expired at"},
		"not yet valid": {time.Hour, 2 * time.Hour, "is not valid before"},
	} {
		t.Run(name, func(t *testing.T) {
			leaf := makeCertificate(t, elliptic.P256(), ca, func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(test.from), time.Now().Add(test.to)
			})
			var files tlsutil.Files
			files.Certificate, files.Key = leaf.write(t, t.TempDir(), "own")
			for side, read := range map[string]func() error{
				"client": func() error { _, err := files.Client(); return err },
				"server": func() error { _, err := files.Server(); return err },
			} {
				err := read()
				var inFile *tlsutil.FilesError
				var validity *tlsutil.ValidityError
				if !errors.As(err, &inFile) || inFile.Path != files.Certificate || !errors.As(err, &validity) ||
					!strings.Contains(err.Error(), test.words) {
					t.Errorf("%s: %v", side, err)
				}
			}
		})
	}
}
