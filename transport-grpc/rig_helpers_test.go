package transportgrpc_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
)

// patience bounds waits in tests.
const patience = 20 * time.Second

// prompt bounds steps without a timeout.
const prompt = 5 * time.Second

var errExpected = errors.New("as expected")

// within returns a context with the bound patience.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	return ctx
}

// receive fails the test if nothing comes.
func receive[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-within(t).Done():
		stacks := make([]byte, 1<<20)
		t.Fatalf("%s: nothing happened\n%s", what, stacks[:runtime.Stack(stacks, true)])
	}
	return v
}

// async runs a function beside the test, in case it hangs.
func async(f func() error) <-chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return c
}

// promptly expects f to return without waiting.
func promptly(t testing.TB, what string, f func() error) {
	t.Helper()
	start := time.Now()
	if err := receive(t, what, async(f)); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if took := time.Since(start); took > prompt {
		t.Errorf("%s took %v", what, took)
	}
}

// log is logged or printed text.
type log struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newLog() *log { return &log{changed: make(chan struct{})} }

// logger writes records of level and above to the log.
func (l *log) logger(level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: level}))
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// reset drops the text.
func (l *log) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// wait waits until want has been written.
func (l *log) wait(t testing.TB, want string) {
	t.Helper()
	for {
		l.mu.Lock()
		has, changed := strings.Contains(l.text.String(), want), l.changed
		l.mu.Unlock()
		if has {
			return
		}
		select {
		case <-changed:
		case <-within(t).Done():
			t.Fatalf("%q did not come; there is %q", want, l)
		}
	}
}

// unixPair returns both ends of a unix socket connection.
func unixPair(t testing.TB) (net.Conn, *net.UnixConn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "p"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	near, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	unix, ok := far.(*net.UnixConn)
	if !ok {
		t.Fatalf("a %T", far)
	}
	return near, unix
}

// security is a pair of configurations for either side.
var security = sync.OnceValue(func() *core.TLS {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	own := []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}
	return &core.TLS{
		Client: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: "localhost", Certificates: own, RootCAs: pool},
		Server: &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: own, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		},
	}
})
