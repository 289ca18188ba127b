package plugin

import (
	"fmt"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/tlsutil"
)

// security answers a host that sent its certificate with one of the plugin's
// own: from then on each side talks to the other alone (protocol §3). A host
// that sent none gets neither.
func (r *run) security() (_ *core.TLS, certificate []byte, err error) {
	if r.asked.ClientCert == "" {
		if sent, _ := r.lookup(handshake.EnvClientCert); sent != "" {
			// Serving without the TLS that was asked for would be worse.
			return nil, nil, fmt.Errorf("the host's certificate in %s cannot be used", handshake.EnvClientCert)
		}
		return nil, nil, nil
	}
	host, err := tlsutil.ParsePEM(r.asked.ClientCert)
	if err != nil {
		return nil, nil, fmt.Errorf("the host's certificate in %s: %w", handshake.EnvClientCert, err)
	}
	own, err := tlsutil.NewIdentity()
	if err != nil {
		return nil, nil, fmt.Errorf("answer the host's wish for TLS: %w", err)
	}
	return &core.TLS{Client: tlsutil.Client(own, host), Server: tlsutil.Server(own, host)}, own.DER(), nil
}
