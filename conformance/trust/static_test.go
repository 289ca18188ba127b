//go:build unix

package trust

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	ourgrpc "github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/tlsutil"
)

// These variables tell a plugin where its own certificates are, and how to use them.
const (
	dirVariable  = "JACKFIELD_TRUST_CERTIFICATES"
	onlyVariable = "JACKFIELD_TRUST_ONLY_CLIENT"
)

// pluginsOwn returns the TLS of a plugin with its own certificates.
func pluginsOwn() core.TLSProvider {
	files := filesIn(os.Getenv(dirVariable))
	if os.Getenv(onlyVariable) != "" {
		return onlyClient(files)
	}
	return core.TLSFiles(files)
}

// onlyClient provides one configuration for both roles.
func onlyClient(files tlsutil.Files) core.TLSProvider {
	return func(context.Context) (*core.TLS, error) {
		client, err := files.Client()
		return &core.TLS{Client: client}, err
	}
}

// filesIn returns the files written by certificates. Without an authority, the plugin
// accepts any host.
func filesIn(dir string) tlsutil.Files {
	files := tlsutil.Files{Certificate: filepath.Join(dir, "own.pem"), Key: filepath.Join(dir, "key.pem")}
	if authority := filepath.Join(dir, "ca.pem"); exists(authority) {
		files.CA = authority
	}
	return files
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// certificates writes an authority, and its certificate for "localhost", into a new
// directory.
func certificates(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	template := func(serial int64) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial),
			Subject:      pkix.Name{CommonName: filepath.Base(filepath.Dir(dir))},
			DNSNames:     []string{tlsutil.ServerName},
			NotBefore:    time.Now().Add(-time.Hour),
			NotAfter:     time.Now().Add(time.Hour),
		}
	}
	authority := template(1)
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authorityKey, key := newKey(t), newKey(t)
	sign := func(name string, certificate *x509.Certificate, of *ecdsa.PrivateKey) {
		der, err := x509.CreateCertificate(rand.Reader, certificate, authority, of.Public(), authorityKey)
		if err != nil {
			t.Fatal(err)
		}
		writePEM(t, filepath.Join(dir, name), "CERTIFICATE", der)
	}
	sign("ca.pem", authority, authorityKey)
	sign("own.pem", template(2), key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, filepath.Join(dir, "key.pem"), "PRIVATE KEY", der)
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

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ownSettings are the settings of plugins with their own certificates.
func ownSettings() map[string]setting {
	return map[string]setting{
		"net/rpc":     {role: "our net/rpc, own TLS"},
		"gRPC":        {role: "our gRPC, own TLS", grpc: true},
		"multiplexed": {role: "our gRPC, own TLS", grpc: true, multiplexed: true},
	}
}

// callBack lets the plugin call the host.
func (u *subject) callBack(t *testing.T) {
	t.Helper()
	serving, err := probe.Serve(t.Context(), ourgrpc.Adapt(u.broker), false, probe.Answerer(probe.HostName))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := u.probe.Callback(within(t), &conformancev1.CallbackRequest{BrokerId: serving.ID, Question: "who?"})
	if err != nil || answer.GetAnsweredBy() != serving.ID {
		t.Errorf("callback: %v, %v", answer, err)
	}
	if err := serving.Stop(); err != nil {
		t.Error(err)
	}
}

// Both sides use one configuration for dialing and for serving.
func TestConfigurationForBothRolesRefusesStrangers(t *testing.T) {
	for name, s := range ownSettings() {
		t.Run(name, func(t *testing.T) {
			dir := certificates(t)
			u, cfg := s.prepare(t)
			cfg.TLS = onlyClient(filesIn(dir))
			cfg.Command.Env = append(cfg.Command.Env, dirVariable+"="+dir, onlyVariable+"=1")
			u.launch(t, cfg)
			u.offer(t)
			for _, path := range u.sockets(t) {
				for with, config := range strangers(t) {
					if err := u.attempt(within(t), path, config); err != nil {
						t.Errorf("with %s at %s: %v", with, filepath.Base(path), err)
					}
				}
			}
			if err := u.ping(); err != nil {
				t.Errorf("the plugin: %v", err)
			}
			if u.grpc {
				u.callBack(t)
			}
		})
	}
}

// The host can call. If a brokered connection needs the host's certificate, the host
// reports the missing certificate before it sends the plugin an ID.
func TestHostWithoutACertificateLearnsThatItCannotServe(t *testing.T) {
	for name, s := range ownSettings() {
		t.Run(name, func(t *testing.T) {
			dir := certificates(t)
			authority := filepath.Join(t.TempDir(), "ca.pem")
			if err := os.Rename(filepath.Join(dir, "ca.pem"), authority); err != nil { // the plugin accepts any host
				t.Fatal(err)
			}
			u, cfg := s.prepare(t)
			cfg.TLS = core.TLSFiles(tlsutil.Files{CA: authority})
			cfg.Command.Env = append(cfg.Command.Env, dirVariable+"="+dir)
			u.launch(t, cfg)
			if err := u.ping(); err != nil {
				t.Error(err)
			}
			if !u.grpc {
				return // net/rpc's brokered connections are inside the main connection
			}
			served := u.broker.Serve(within(t), u.broker.NextID(), func(grpc.ServiceRegistrar) {})
			_, listened := u.broker.Listen(within(t), u.broker.NextID())
			for how, err := range map[string]error{"Serve": served, "Listen": listened} {
				if !errors.Is(err, core.ErrCannotServe) || !strings.Contains(err.Error(), "without a certificate") {
					t.Errorf("%s: %v", how, err)
				}
			}
		})
	}
}

func TestHintNamesTheRefusingSide(t *testing.T) {
	for name, s := range ownSettings() {
		for side, test := range map[string]struct {
			hostRefuses bool
			hints       []string // the faster side decides between them
		}{
			"the host refuses":   {true, []string{""}},
			"the plugin refuses": {false, []string{"the plugin refused the host's TLS", "the plugin hung up"}},
		} {
			t.Run(name+", "+side, func(t *testing.T) {
				dir, other := certificates(t), certificates(t)
				hosts, plugins := filesIn(dir), filesIn(dir)
				hosts.Certificate, hosts.Key = filepath.Join(other, "own.pem"), filepath.Join(other, "key.pem")
				if test.hostRefuses {
					hosts = plugins
					hosts.CA = filepath.Join(other, "ca.pem")
				}
				_, cfg := s.prepare(t)
				cfg.TLS = core.TLSFiles(hosts)
				cfg.Command.Env = append(cfg.Command.Env, dirVariable+"="+dir)
				expectHint(t, cfg, test.hints...)
			})
		}
	}
}

func TestTLSOnTheHostsSideAloneIsNamed(t *testing.T) {
	for name, s := range settings() {
		t.Run(name, func(t *testing.T) {
			_, cfg := s.prepare(t)
			cfg.TLS = core.TLSFiles(filesIn(certificates(t)))
			expectHint(t, cfg, "the plugin's answer is not TLS", "the plugin hung up: compare the certificates")
		})
	}
}

// expectHint expects a failing launch whose hint begins with any of hints.
func expectHint(t *testing.T, cfg host.Config, hints ...string) {
	t.Helper()
	client, err := host.Launch(within(t), cfg)
	var failure *host.LaunchError
	if !errors.As(err, &failure) {
		if err == nil {
			_ = client.Close()
		}
		t.Fatalf("got %v", err)
	}
	for _, hint := range hints {
		if failure.Hint == hint || hint != "" && strings.HasPrefix(failure.Hint, hint) {
			return
		}
	}
	t.Errorf("the hint %q of %v", failure.Hint, err)
}
