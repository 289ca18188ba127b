package plugin

import (
	"context"
	"fmt"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/tlsutil"
)

// security returns the plugin's TLS: its own, if it has any; otherwise an
// answer to a host that sent its certificate, after which each side talks to
// the other alone (protocol §3). For a host without a certificate it returns
// neither.
func (r *run) security(ctx context.Context) (_ *core.TLS, certificate []byte, err error) {
	own, err := r.cfg.TLS.Provide(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("get the certificates for the host: %w", err)
	}
	if own != nil {
		if own.Refused == nil {
			own.Refused = r.sockets.alarm
		}
		if _, err := own.Serving(); err != nil {
			return nil, nil, fmt.Errorf("a plugin serves its host: %w", err)
		}
		return own, nil, nil
	}
	if r.asked.ClientCert == "" {
		if sent, _ := r.lookup(handshake.EnvClientCert); sent != "" {
			// Serving without the requested TLS would be worse.
			return nil, nil, fmt.Errorf("the host's certificate in %s cannot be used", handshake.EnvClientCert)
		}
		return nil, nil, nil
	}
	secured, certificate, err := answerTLS(r.asked.ClientCert)
	if err == nil {
		secured.Refused = func(err error) { r.sockets.alarm(notTheHost(err)) }
	}
	return secured, certificate, err
}

// notTheHost adds the possible peers to err. A host that tries to attach to a
// running plugin is among them: it has neither of the keys.
func notTheHost(err error) error {
	return fmt.Errorf("under AutoMTLS a plugin talks to the host that launched it, and to nobody else; "+
		"another host cannot attach to it without that host's secret (host.Client.Reattach), but launch one of its own: %w", err)
}

// answerTLS answers the host's certificate with a certificate of the plugin.
func answerTLS(sent string) (_ *core.TLS, certificate []byte, err error) {
	host, err := tlsutil.ParsePEM(sent)
	if err != nil {
		return nil, nil, fmt.Errorf("the host's certificate in %s: %w", handshake.EnvClientCert, err)
	}
	own, err := tlsutil.NewIdentity()
	if err != nil {
		return nil, nil, fmt.Errorf("answer the host's wish for TLS: %w", err)
	}
	return &core.TLS{Client: tlsutil.Client(own, host), Server: tlsutil.Server(own, host)}, own.DER(), nil
}
