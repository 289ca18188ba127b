package host

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/tlsutil"
)

// MTLS determines whether a host and a plugin authenticate each other, with
// certificates made for this one launch (protocol §3): nobody else can then
// call the plugin, or stand in for it. The zero value is [MTLSOff].
type MTLS uint8

// The modes.
const (
	// MTLSOff does not request mutual TLS. It is the default because the
	// request is a variable in the plugin's environment. Other libraries'
	// plugins pass it on to their own plugins, and some of those fail on it.
	MTLSOff MTLS = iota
	// MTLSPreferred requests mutual TLS, and goes without if the plugin does
	// not answer with a certificate. It is for plugins that may be old.
	MTLSPreferred
	// MTLSRequired requests mutual TLS, and refuses a plugin that does not
	// answer with a certificate: an [ErrNoCertificate].
	MTLSRequired
)

// String returns "off", "preferred" or "required".
func (m MTLS) String() string {
	switch m {
	case MTLSOff:
		return "off"
	case MTLSPreferred:
		return "preferred"
	case MTLSRequired:
		return "required"
	}
	return "MTLS(" + strconv.Itoa(int(m)) + ")"
}

// ErrNoCertificate is the error of a plugin that did not answer with a
// certificate although mutual TLS is required.
var ErrNoCertificate = core.WithHint(
	errors.New("AutoMTLS is required, and the plugin did not answer with a certificate: install a release that supports AutoMTLS"),
	"build the plugin with a library that supports AutoMTLS, or turn Config.AutoMTLS off for it "+
		"(a plugin that has certificates of its own takes a host with some of the same authority in Config.TLS)")

// ErrUnaskedCertificate is the error of a plugin that answered with a
// certificate although AutoMTLS is off. Another program put the request into
// its environment.
var ErrUnaskedCertificate = core.WithHint(
	errors.New("the plugin answered with a certificate, and AutoMTLS is off: keep "+handshake.EnvClientCert+" out of the plugin's environment"),
	"or turn Config.AutoMTLS on")

func (c Config) validateSecurity() error {
	if c.AutoMTLS > MTLSRequired {
		return fmt.Errorf("invalid Config.AutoMTLS %v: choose MTLSOff, MTLSPreferred or MTLSRequired", c.AutoMTLS)
	}
	if c.AutoMTLS != MTLSOff && c.TLS != nil {
		return errors.New("both Config.AutoMTLS and Config.TLS are set: a plugin with certificates of its own ignores the former, " +
			"so choose one")
	}
	return nil
}

// prove gets the host's certificate.
func (l *launch) prove(ctx context.Context) (err error) {
	if l.cfg.AutoMTLS != MTLSOff {
		l.identity, err = tlsutil.NewIdentity()
		return err
	}
	if l.static, err = l.cfg.TLS.Provide(ctx); err != nil {
		return fmt.Errorf("get the certificates for the plugin: %w", err)
	}
	return nil
}

// security returns the TLS agreed on by host and plugin; nil for none.
func (l *launch) security(line handshake.Line) (*core.TLS, error) {
	answered := line.ServerCert != nil
	switch {
	case l.identity == nil && answered:
		return nil, ErrUnaskedCertificate
	case l.identity == nil:
		return l.withRefusalLog(l.static), nil
	case !answered && l.cfg.AutoMTLS == MTLSRequired:
		return nil, ErrNoCertificate
	case !answered:
		l.process.logger.Debug("the plugin does not do mutual TLS: the connection is not protected by it")
		return nil, nil
	}
	peer, err := tlsutil.ParseDER(line.ServerCert)
	if err != nil {
		return nil, fmt.Errorf("the certificate that the plugin announced: %w", err)
	}
	agreed := &core.TLS{Client: tlsutil.Client(l.identity, peer), Server: tlsutil.Server(l.identity, peer)}
	return l.withRefusalLog(agreed), nil
}

// withRefusalLog adds the host's log of refused connections to secured.
func (l *launch) withRefusalLog(secured *core.TLS) *core.TLS {
	if secured != nil && secured.Refused == nil {
		secured.Refused = func(err error) { l.sockets.alarm(l.process.logger, err) }
	}
	return secured
}

// manner describes the connection's security for errors. If only one side has
// TLS, neither understands the other, so their own errors do not reveal it.
func (l *launch) manner(tls *core.TLS) string {
	switch {
	case tls == nil:
		return "without TLS"
	case l.identity == nil:
		return "under the application's TLS"
	}
	return "under AutoMTLS"
}
