package host_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
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

func TestPluginsOwnTLSWinsOverTheHostsAutoMTLS(t *testing.T) {
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
		"the plugin's": {onlyPlugin, []string{"without TLS", "some of the same authority in Config.TLS"}},
		"the plugin's, and AutoMTLS is preferred": {preferred, []string{"without TLS", "some of the same authority in Config.TLS"}},
		"the host's": {onlyHost, []string{"under the application's TLS", "does it have TLS"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.cfg.Timeouts.Start = 5 * time.Second
			failure := fail(t, within(t), test.cfg)
			if failure.Stage != host.StageConnect {
				t.Errorf("stage %s, %v", failure.Stage, failure)
			}
			mention(t, failure, test.words...)
		})
	}
}

// handshaker is a transport that comes no further than the first byte behind the
// handshake.
type handshaker struct{ *faketransport.Transport }

func (handshaker) Dial(ctx context.Context, link core.HostLink) (core.Session, error) {
	conn, err := link.Dial(ctx)
	if err != nil {
		return nil, err
	}
	if conn, err = link.TLS.Connect(ctx, conn); err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	_, err = conn.Read(make([]byte, 1))
	return nil, fmt.Errorf("%w: %w", core.ErrConnectionLost, err)
}

// When the host hangs up, the plugin has not.
func TestHintOfARefusingHostNamesNoHangUp(t *testing.T) {
	dir := writeCertificates(t)
	stranger, misnamed := files(writeCertificates(t), "host"), files(dir, "host")
	misnamed.ServerName = "other.test"
	function := func(provided *core.TLS) {
		provided.Client.VerifyConnection = func(tls.ConnectionState) error { return errOfTheUsers }
	}
	raw := func(provided *core.TLS) {
		provided.Client.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return errOfTheUsers }
	}
	none := func(*core.TLS) {}
	for name, test := range map[string]struct {
		files  tlsutil.Files
		change func(*core.TLS)
		words  string
	}{
		"another authority":            {stranger, none, "signed by unknown authority"},
		"another name":                 {misnamed, none, "not other.test"},
		"a function":                   {files(dir, "host"), function, errOfTheUsers.Error()},
		"a function of the raw chains": {files(dir, "host"), raw, errOfTheUsers.Error()},
	} {
		for _, transport := range []core.Transport{new(faketransport.Transport), handshaker{new(faketransport.Transport)}} {
			t.Run(fmt.Sprintf("%s, %T", name, transport), func(t *testing.T) {
				cfg := config(t, "static", dir)
				cfg.Versions = core.Versions{1: {transport}}
				cfg.TLS = func(ctx context.Context) (*core.TLS, error) {
					provided, err := core.TLSFiles(test.files)(ctx)
					if err == nil {
						test.change(provided)
					}
					return provided, err
				}
				failure := fail(t, within(t), cfg)
				mention(t, failure, test.words)
				if failure.Stage != host.StageConnect || failure.Hint != "" {
					t.Errorf("stage %s, the hint %q", failure.Stage, failure.Hint)
				}
				if test.words == errOfTheUsers.Error() && !errors.Is(failure, errOfTheUsers) {
					t.Error("the function's error is a text alone")
				}
			})
		}
	}
}

var errOfTheUsers = errors.New("this one I do not know")

func TestLaunchReportsThePluginsRefusal(t *testing.T) {
	dir := writeCertificates(t)
	stranger := files(writeCertificates(t), "host")
	stranger.CA = files(dir, "host").CA
	for name, test := range map[string]struct {
		files tlsutil.Files
		words string
	}{
		"no certificate":    {tlsutil.Files{CA: stranger.CA, ServerName: serverName}, "certificate required"},
		"another authority": {stranger, "unknown certificate authority"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t, "static", dir)
			cfg.Versions = core.Versions{1: {handshaker{new(faketransport.Transport)}}}
			cfg.TLS = core.TLSFiles(test.files)
			failure := fail(t, within(t), cfg)
			mention(t, failure, test.words, "the plugin refused the host's TLS")
		})
	}
}

// A host that only dials needs no certificate, until it is to serve something.
func TestHostWithoutACertificateCallsAndDoesNotServe(t *testing.T) {
	dir := writeCertificates(t)
	cfg := config(t, "static, for anybody", dir)
	cfg.TLS = core.TLSFiles(tlsutil.Files{CA: files(dir, "host").CA, ServerName: serverName})
	client, link := launchBoth(t, cfg)
	if got := call(t, client, "echo", "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
	_, err := link.TLS.Serving()
	if !errors.Is(err, core.ErrCannotServe) {
		t.Fatalf("got %v", err)
	}
	mention(t, err, "Config.TLS", "without a certificate")
}
