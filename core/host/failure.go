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
	e := &LaunchError{Stage: l.clock.stage, Plugin: l.cfg.Name, Path: l.cfg.Command.Path, Err: reason}
	if e.Plugin == "" && e.Path != "" {
		e.Plugin = filepath.Base(e.Path)
	}
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
	if e.Hint = l.misplacedLine(unfinished, e.Stderr); e.Hint == "" {
		e.Hint = l.process.hint(context.WithoutCancel(ctx), e)
	}
	if e.Hint == "" {
		e.Hint = requirementHint(reason)
	}
	switch {
	case e.Hint != "":
	case e.Exit == nil && ctx.Err() == nil:
		e.Hint = l.oneSided(reason)
	case isTimeout(e.Err), e.Exit != nil && e.Exit.Code == 0:
		e.Hint = "is it a plugin, and does it get as far as serving?"
	}
	return e
}

// misplacedLine reports a handshake line in the wrong place, after the host waited for it
// in vain.
func (l *launch) misplacedLine(unfinished string, stderr []string) string {
	if l.clock.stage != StageHandshake {
		return ""
	}
	if _, rest, ok := handshake.SplitGlued(unfinished); ok {
		unfinished = rest
	}
	if isLine(unfinished) {
		return "the plugin has written a handshake line without the newline that ends it: " +
			"write the newline too, and flush the output"
	}
	if slices.ContainsFunc(stderr, isLine) {
		return "the plugin has written a handshake line on its stderr: write it on stdout"
	}
	return ""
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

// hint returns further findings about a failure.
func (p *process) hint(ctx context.Context, e *LaunchError) string {
	if e.Exit == nil {
		return ""
	}
	for _, line := range e.Stderr {
		for _, text := range cookieTexts {
			if strings.HasPrefix(line, text) {
				return "the plugin says that its host is another application: is Config.Handshake the plugin's?"
			}
		}
	}
	return p.runner.Diagnose(ctx)
}

// oneSided returns advice for a launch whose connection was closed by the
// plugin. The cause may be TLS on one side only, or certificates not accepted
// by the plugin. Otherwise it returns "".
func (l *launch) oneSided(reason error) string {
	if l.clock.stage != StageConnect {
		return ""
	}
	refused := isAlert(reason)
	switch {
	case refused && l.static != nil:
		return "the plugin refused the host's TLS: do the certificates of Config.TLS fit the plugin's?"
	case isNotTLS(reason) && l.static != nil:
		return "the plugin's answer is not TLS: does it have TLS, with certificates that fit those of Config.TLS?"
	case refused || !isHangUp(reason):
		return ""
	case !l.sockets.secured:
		return "the plugin hung up: if it has certificates of its own, the host needs some of the same authority in Config.TLS"
	case l.static != nil:
		return "the plugin hung up: does it have TLS, with certificates that fit those of Config.TLS?"
	}
	return ""
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

// isHangUp reports whether the other side closed a connection without a word.
func isHangUp(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, core.ErrConnectionLost} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}
