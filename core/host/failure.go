package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
)

// withContext joins the end of ctx to the reason, if ctx has ended: both its
// error and its cause.
func withContext(ctx context.Context, reason error) error {
	for _, end := range []error{context.Cause(ctx), ctx.Err()} {
		if end != nil && !errors.Is(reason, end) {
			reason = fmt.Errorf("%w (%w)", reason, end)
		}
	}
	return reason
}

// failure ends everything started so far and returns a LaunchError with all findings.
func (l *launch) failure(ctx context.Context, reason error) error {
	l.clock.stop() // the cleaning up below is no part of the stage
	e := &LaunchError{Stage: l.clock.stage, Plugin: l.cfg.Name, Path: l.cfg.Command.Path, Err: reason}
	if e.Plugin == "" && e.Path != "" {
		e.Plugin = filepath.Base(e.Path)
	}
	l.cfg.Name = e.Plugin // for the record
	e.Err = withContext(ctx, reason)
	if l.process == nil {
		l.program.Release()
		l.sockets.remove()
		return e
	}
	unfinished := l.process.stdout.unfinished() // its end ends the line too
	e.Exit = l.process.abort(ctx, errors.Is(reason, errNoLine) || l.clock.stage == StageConnect && ctx.Err() == nil)
	e.Line = l.process.stdout.last()
	e.Stderr = l.process.tail.Lines()
	found := l.find(ctx, e, unfinished)
	e.Hint, e.ForDeveloper = found.user, found.developer
	return e
}

// A finding about a failed launch is for a user of the application, for its developer, or for both.
type finding struct{ user, developer string }

// find returns the first finding about a failure.
func (l *launch) find(ctx context.Context, e *LaunchError, unfinished string) finding {
	if found := l.misplacedLine(unfinished, e.Stderr); found != (finding{}) {
		return found
	}
	if found := l.process.find(context.WithoutCancel(ctx), e); found != (finding{}) {
		return found
	}
	var misread *handshake.ParseError
	hint := requirementHint(e.Err)
	switch {
	case hint != "":
		return finding{developer: hint}
	case errors.As(e.Err, &misread):
		return misannounced("")
	case e.Exit == nil && ctx.Err() == nil:
		return l.oneSided(e.Err)
	case isTimeout(e.Err), e.Exit != nil && e.Exit.Code == 0:
		return finding{"is it a plugin of this application?", "does the plugin get as far as serving?"}
	}
	return finding{}
}

// misannounced is the finding about a plugin with a faulty handshake line.
func misannounced(developer string) finding {
	return finding{"the plugin does not announce itself as plugins do: install another release of it", developer}
}

// misplacedLine reports a handshake line in the wrong place, after the host waited for it
// in vain.
func (l *launch) misplacedLine(unfinished string, stderr []string) finding {
	if l.clock.stage != StageHandshake {
		return finding{}
	}
	if _, rest, ok := handshake.SplitGlued(unfinished); ok {
		unfinished = rest
	}
	if isLine(unfinished) {
		return misannounced("the plugin has written a handshake line without the newline that ends it: " +
			"write the newline too, and flush the output")
	}
	if slices.ContainsFunc(stderr, isLine) {
		return misannounced("the plugin has written a handshake line on its stderr: write it on stdout")
	}
	return finding{}
}

func isLine(text string) bool {
	_, err := handshake.Parse(text)
	return err == nil && handshake.IsCandidate(text)
}

func isTimeout(err error) bool {
	var timeout *TimeoutError
	return errors.As(err, &timeout)
}

// cookieTexts begin the messages of plugins started without their host: this
// library's, and hashicorp/go-plugin's.
var cookieTexts = []string{"this program is a plugin:", "This binary is a plugin."}

// find returns a finding about a process that ended by itself.
func (p *process) find(ctx context.Context, e *LaunchError) finding {
	if e.Exit == nil {
		return finding{}
	}
	for _, line := range e.Stderr {
		for _, text := range cookieTexts {
			if strings.HasPrefix(line, text) {
				return finding{"the plugin says that its host is another application: install the plugin of this one", "is Config.Handshake the plugin's?"}
			}
		}
	}
	return finding{user: p.runner.Diagnose(ctx)}
}

// oneSided returns a finding about a launch whose connection was closed by the
// plugin. The cause may be TLS on one side only, or certificates not accepted
// by the plugin. Otherwise there is none.
func (l *launch) oneSided(reason error) finding {
	if l.clock.stage != StageConnect {
		return finding{}
	}
	refused := isAlert(reason)
	switch {
	case refused && l.static != nil:
		return finding{"the plugin refused the host's TLS: compare the certificates of both", "do the certificates of Config.TLS fit the plugin's?"}
	case isNotTLS(reason) && l.static != nil:
		return finding{"the plugin's answer is not TLS: compare the certificates of both", "does it have TLS, with certificates that fit those of Config.TLS?"}
	case refused || !isHangUp(reason):
		return finding{}
	case !l.sockets.secured:
		return finding{"the plugin hung up", "if the plugin has certificates of its own, the host needs some of the same authority in Config.TLS"}
	case l.static != nil:
		return finding{"the plugin hung up: compare the certificates of both", "does it have TLS, with certificates that fit those of Config.TLS?"}
	}
	return finding{}
}

// isAlert reports whether the other side has ended TLS with a reason.
func isAlert(err error) bool {
	var failure *net.OpError
	return errors.As(err, &failure) && failure.Op == "remote error"
}

// isNotTLS reports whether the other side's answer is not TLS.
func isNotTLS(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header)
}

// The numbers of Windows for a connection closed by the other side. Other platforms do not use them.
const (
	errWindowsReset   = syscall.Errno(10054) // WSAECONNRESET
	errWindowsAborted = syscall.Errno(10053) // WSAECONNABORTED
)

// isHangUp reports whether the other side closed a connection without a word.
func isHangUp(err error) bool {
	for _, end := range []error{
		io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE,
		errWindowsReset, errWindowsAborted, core.ErrConnectionLost,
	} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}
