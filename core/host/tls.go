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

// MTLS says whether a host and a plugin prove to each other who they are, with
// certificates that each makes for this one launch (protocol §3): nobody else can
// then call the plugin, or stand in for it. The zero value is [MTLSOff].
type MTLS uint8

// The modes.
const (
	// MTLSOff asks for none. It is the default because what asks is a variable in
	// the plugin's environment, which other libraries' plugins pass on to plugins
	// of their own; existing ones break on it.
	MTLSOff MTLS = iota
	// MTLSPreferred asks, and goes without if the plugin does not answer with a
	// certificate. It is for plugins that may be old.
	MTLSPreferred
	// MTLSRequired asks, and refuses a plugin that does not answer with a
	// certificate: an [ErrNoCertificate].
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

// ErrNoCertificate says that mutual TLS is required and the plugin did not answer
// with a certificate.
var ErrNoCertificate = errors.New("AutoMTLS is required, and the plugin did not answer with a certificate: " +
	"build it with a library that supports AutoMTLS, or turn AutoMTLS off for it " +
	"(a plugin that has certificates of its own takes a host with some of the same authority in Config.TLS)")

// ErrUnaskedCertificate says that a plugin answered with a certificate although
// AutoMTLS is off: it was told to, by somebody else.
var ErrUnaskedCertificate = errors.New("the plugin answered with a certificate, and AutoMTLS is off: " +
	"turn it on, or keep " + handshake.EnvClientCert + " out of the plugin's environment")

func (c Config) validateSecurity() error {
	if c.AutoMTLS > MTLSRequired {
		return fmt.Errorf("there is no such mode as Config.AutoMTLS %v: it is MTLSOff, MTLSPreferred or MTLSRequired", c.AutoMTLS)
	}
	if c.AutoMTLS != MTLSOff && c.TLS != nil {
		return errors.New("both Config.AutoMTLS and Config.TLS are set: a plugin with certificates of its own ignores the former, " +
			"so choose one")
	}
	return nil
}

// prove gets what the host proves itself with.
func (l *launch) prove(ctx context.Context) (err error) {
	if l.cfg.AutoMTLS != MTLSOff {
		l.identity, err = tlsutil.NewIdentity()
		return err
	}
	if l.static, err = l.cfg.TLS.Provide(ctx); err != nil {
		return fmt.Errorf("get the certificates of Config.TLS: %w", err)
	}
	return nil
}

// security is TLS as the host and the plugin have agreed on it; nil for none.
func (l *launch) security(line handshake.Line) (*core.TLS, error) {
	answered := line.ServerCert != nil
	switch {
	case l.identity == nil && answered:
		return nil, ErrUnaskedCertificate
	case l.identity == nil:
		return l.told(l.static), nil
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
	return l.told(agreed), nil
}

// told is TLS by which the host hears of strangers at what it serves to the plugin.
func (l *launch) told(secured *core.TLS) *core.TLS {
	if secured != nil && secured.Refused == nil {
		secured.Refused = func(err error) { l.sockets.alarm(l.process.logger, err) }
	}
	return secured
}

// manner says how the plugin is connected to. One side that has TLS and one that
// has none do not understand a word of each other, so their errors do not tell.
func (l *launch) manner(tls *core.TLS) string {
	switch {
	case tls == nil:
		return "without TLS"
	case l.identity == nil:
		return "under the TLS of Config.TLS"
	}
	return "under AutoMTLS"
}
