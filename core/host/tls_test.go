package host_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/tlsutil"
)

func TestAutoMTLSCarriesCalls(t *testing.T) {
	for _, mode := range []host.MTLS{host.MTLSPreferred, host.MTLSRequired} {
		t.Run(mode.String(), func(t *testing.T) {
			transport := &linked{Transport: new(faketransport.Transport)}
			cfg := config(t, "serve", "")
			cfg.AutoMTLS = mode
			cfg.Versions = core.Versions{1: {transport}}
			if got := call(t, launch(t, cfg), "echo", "hello"); got != "hello" {
				t.Errorf("got %q", got)
			}
			if transport.link.TLS == nil {
				t.Error("the connection is not protected")
			}
		})
	}
}

func TestWithoutAutoMTLSNothingIsAskedFor(t *testing.T) {
	if got := call(t, launch(t, config(t, "serve", "")), "getenv", handshake.EnvClientCert); got != " false" {
		t.Errorf("the plugin got %q", got)
	}
}

func TestRequiredMTLSRefusesAPluginWithoutACertificate(t *testing.T) { // F20
	cfg := config(t, "without TLS", "")
	cfg.AutoMTLS = host.MTLSRequired
	failure := fail(t, within(t), cfg)
	if failure.Stage != host.StageNegotiate || !errors.Is(failure, host.ErrNoCertificate) {
		t.Errorf("stage %s", failure.Stage)
	}
	mention(t, failure, "did not answer with a certificate", "turn Config.AutoMTLS off")
}

func TestPreferredMTLSGoesWithoutACertificate(t *testing.T) {
	cfg := config(t, "without TLS", "")
	cfg.AutoMTLS = host.MTLSPreferred
	if got := call(t, launch(t, cfg), "echo", "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
}

// certificate makes one that is not tlsutil's.
func certificate(t *testing.T, change func(*x509.Certificate)) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestUnusableCertificateIsRefusedWithTheReason(t *testing.T) {
	tests := map[string]struct {
		der   []byte
		words string
		as    func(error) bool
	}{
		"none": {make([]byte, 64), "unusable certificate", func(err error) bool {
			var e *tlsutil.CertificateError
			return errors.As(err, &e)
		}},
		"expired": {certificate(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), "expired at", func(err error) bool {
			var e *tlsutil.ValidityError
			return errors.As(err, &e)
		}},
		"not valid yet": {certificate(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }), "is not valid before", func(err error) bool {
			var e *tlsutil.ValidityError
			return errors.As(err, &e)
		}},
	}
	for name, test := range tests {
		for _, mode := range []host.MTLS{host.MTLSPreferred, host.MTLSRequired} {
			t.Run(name+", "+mode.String(), func(t *testing.T) {
				line := handshake.Line{AppVersion: 1, Network: "unix", Address: "/x", Protocol: "fake", ServerCert: test.der}
				text, err := line.Format()
				if err != nil {
					t.Fatal(err)
				}
				cfg := config(t, "printed", text)
				cfg.AutoMTLS = mode
				failure := fail(t, within(t), cfg)
				mention(t, failure, "the certificate that the plugin announced", test.words)
				if failure.Stage != host.StageNegotiate || !test.as(failure) {
					t.Errorf("stage %s, %v", failure.Stage, failure)
				}
			})
		}
	}
}

func TestPeerWithAnotherCertificateIsRefused(t *testing.T) {
	cfg := config(t, "impostor", "")
	cfg.AutoMTLS = host.MTLSRequired
	failure := fail(t, within(t), cfg)
	var pin *tlsutil.PinError
	if failure.Stage != host.StageConnect || !errors.As(failure, &pin) {
		t.Errorf("stage %s, %v", failure.Stage, failure)
	}
	mention(t, failure, "is not the announced one")
}

func TestUnaskedCertificateIsExplained(t *testing.T) { // F2
	identity, err := tlsutil.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	cfg := withRunner(config(t, "serve", ""), func(command runner.Command) runner.Runner {
		command.Env = append(command.Env, handshake.EnvClientCert+"="+identity.PEM())
		return runner.NewProcess(command)
	})
	failure := fail(t, within(t), cfg)
	mention(t, failure, "AutoMTLS is off", handshake.EnvClientCert)
	if !errors.Is(failure, host.ErrUnaskedCertificate) {
		t.Error("it is not an ErrUnaskedCertificate")
	}
}

func TestSecuritySettingsThatCannotWorkAreRefused(t *testing.T) {
	provider := func(context.Context) (*core.TLS, error) { return nil, errors.New("the vault is sealed") }
	for words, change := range map[string]func(*host.Config){
		"choose one": func(c *host.Config) { c.AutoMTLS, c.TLS = host.MTLSPreferred, provider },
		"MTLS(3): choose MTLSOff, MTLSPreferred or MTLSRequired": func(c *host.Config) { c.AutoMTLS = 3 },
		"the vault is sealed": func(c *host.Config) { c.TLS = provider },
	} {
		cfg := config(t, "serve", "")
		change(&cfg)
		failure := fail(t, within(t), cfg)
		mention(t, failure, words)
		if failure.Stage != host.StageConfigure {
			t.Errorf("%s: stage %s", words, failure.Stage)
		}
	}
}

// A second host that would attach to the plugin has no certificate that it takes.
func TestAnotherHostAtAPluginUnderAutoMTLSIsToldOfInTheLog(t *testing.T) {
	logged := newRecords()
	cfg := config(t, "tcp", "")
	cfg.AutoMTLS = host.MTLSRequired
	cfg.Logger = logged.logger()
	client, link := launchBoth(t, cfg)
	for range 2 {
		conn, err := link.Dial(within(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "control\nand some more, without TLS\n"); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, conn) // until it is refused
		_ = conn.Close()
	}
	said := logged.await(t, "a connection to the plugin was refused")
	if text := said.attrs["error"]; said.level != slog.LevelWarn || !strings.Contains(text, "another host cannot attach") {
		t.Errorf("at level %v: %s", said.level, text)
	}
	call(t, client, "echo", "still there")
	if warned := logged.from(slog.LevelWarn); len(warned) != 1 {
		t.Errorf("warned %+v", warned)
	}
}

// tcp4 names TCP in another way.
type tcp4 struct{ runner.Runner }

func (tcp4) PluginToHost(_, address string) (string, string, error) { return "tcp4", address, nil }

func TestTCPWithoutTLSIsWarnedOfOnceOrRefused(t *testing.T) {
	logged := newRecords()
	cfg := config(t, "tcp", "")
	cfg.Logger = logged.logger()
	client := launch(t, cfg)
	call(t, client, "echo", "hello") // the fake transport has three connections
	if warned := logged.from(slog.LevelWarn); len(warned) != 1 {
		t.Errorf("warned %+v", warned)
	} else if warned[0].attrs["plugin"] != "tester" {
		t.Errorf("of %+v", warned[0])
	}

	cfg.Sockets.RefusePlainTCP = true
	if failure := fail(t, within(t), cfg); !errors.Is(failure, host.ErrPlainTCP) {
		t.Errorf("got %v", failure)
	}

	translated := withRunner(cfg, func(cmd runner.Command) runner.Runner { return tcp4{runner.NewProcess(cmd)} })
	if failure := fail(t, within(t), translated); !errors.Is(failure, host.ErrPlainTCP) {
		t.Errorf("under another name: %v", failure)
	}

	loud := len(logged.from(slog.LevelWarn))
	cfg.AutoMTLS = host.MTLSRequired
	if got := call(t, launch(t, cfg), "echo", "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
	if got := logged.from(slog.LevelWarn); len(got) != loud {
		t.Errorf("under TLS: %+v", got[loud:])
	}
}
