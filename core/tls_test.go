package core_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/tlsutil"
)

func TestAProviderIsCompleted(t *testing.T) {
	named := &tls.Config{ServerName: "plugin.test", MinVersion: tls.VersionTLS13}
	bare := &tls.Config{MinVersion: tls.VersionTLS12}
	for name, test := range map[string]struct {
		provided       *core.TLS
		client, server uint16 // by which one they are known
		serverName     string
	}{
		"both":        {&core.TLS{Client: named, Server: bare}, tls.VersionTLS13, tls.VersionTLS12, "plugin.test"},
		"only client": {&core.TLS{Client: named}, tls.VersionTLS13, tls.VersionTLS13, "plugin.test"},
		"only server": {&core.TLS{Server: bare}, tls.VersionTLS12, tls.VersionTLS12, "localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			provider := core.TLSProvider(func(context.Context) (*core.TLS, error) { return test.provided, nil })
			got, err := provider.Provide(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got.Client.MinVersion != test.client || got.Server.MinVersion != test.server || got.Client.ServerName != test.serverName {
				t.Errorf("got a client of %x for %s, a server of %x", got.Client.MinVersion, got.Client.ServerName, got.Server.MinVersion)
			}
		})
	}
	if bare.ServerName != "" {
		t.Error("what was provided has been changed")
	}
}

func TestWhoIsRefusedIsTold(t *testing.T) {
	var told []error
	secured := &core.TLS{Refused: func(err error) { told = append(told, err) }}
	reason := errors.New("somebody else")
	for _, err := range []error{nil, io.EOF, net.ErrClosed, reason} {
		secured.Refuse(err)
		new(core.TLS).Refuse(err)
		(*core.TLS)(nil).Refuse(err)
	}
	if len(told) != 1 || !errors.Is(told[0], reason) {
		t.Errorf("told %v", told)
	}
}

func TestAProviderOfNothing(t *testing.T) {
	var none core.TLSProvider
	if got, err := none.Provide(t.Context()); got != nil || err != nil {
		t.Errorf("without one: %v, %v", got, err)
	}
	none = func(context.Context) (*core.TLS, error) { return nil, nil }
	if got, err := none.Provide(t.Context()); got != nil || err != nil {
		t.Errorf("of nil: %v, %v", got, err)
	}
	empty := core.TLSProvider(func(context.Context) (*core.TLS, error) { return new(core.TLS), nil })
	if got, err := empty.Provide(t.Context()); got != nil || err == nil {
		t.Errorf("of neither: %v, %v", got, err)
	}
	var missing *tlsutil.FilesError
	if _, err := core.TLSFiles(tlsutil.Files{CA: "no such file"}).Provide(t.Context()); !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}
