package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/runner"
)

// unwatched is a plugin without a process to watch: in this process, or with a process that is
// unknown. It ends with the connection, and cannot be killed.
type unwatched struct {
	runner.Local

	name, id string
	gone     chan struct{}
	going    sync.Once
}

var _ runner.Attacher = (*unwatched)(nil)

func newUnwatched(name, id string) *unwatched {
	return &unwatched{name: name, id: id, gone: make(chan struct{})}
}

// lookInterval is the interval of looks at the socket of an unwatched plugin.
const lookInterval = time.Second

// endsWith takes the end of a session for the plugin's, and the removal of its socket if the plugin
// does not answer then: a session may notice neither before its next call.
func (u *unwatched) endsWith(session core.Session, line handshake.Line) {
	go func() {
		defer u.Detach()
		looks := time.NewTicker(lookInterval)
		defer looks.Stop()
		for {
			select {
			case <-session.Done():
				return
			case <-u.gone:
				return
			case <-looks.C:
			}
			if line.Network == handshake.NetworkUnix && isMissing(line.Address) && isLost(session) {
				return
			}
		}
	}()
}

func isMissing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist) && filepath.IsAbs(path) // another has no file
}

// isLost reports whether the connection fails. A plugin in a debugger may be silent.
func isLost(session core.Session) bool {
	ctx, cancel := context.WithTimeout(context.Background(), lookInterval)
	defer cancel()
	return session.Ping(ctx) != nil && ctx.Err() == nil
}

// Start refuses: the plugin runs already.
func (u *unwatched) Start(context.Context) error { return runner.ErrAlreadyStarted }

// Attach does nothing.
func (u *unwatched) Attach(context.Context, string, string) error { return nil }

// Detach ends the wait.
func (u *unwatched) Detach() { u.going.Do(func() { close(u.gone) }) }

// Stdout is at its end.
func (u *unwatched) Stdout() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Stderr is at its end.
func (u *unwatched) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Wait waits for the end of the connection.
func (u *unwatched) Wait(ctx context.Context) (runner.Exit, error) {
	select {
	case <-u.gone:
		return runner.Exit{Code: runner.ExitUnknown}, nil
	case <-ctx.Done():
		return runner.Exit{}, fmt.Errorf("wait for the end of the connection: %w", context.Cause(ctx))
	}
}

// Kill refuses, unless the connection has ended.
func (u *unwatched) Kill(context.Context) error {
	select {
	case <-u.gone:
		return nil
	default:
		return errors.New("the plugin's process is not known: end it yourself")
	}
}

// Name is the plugin's name.
func (u *unwatched) Name() string { return u.name }

// ID is the ID in the reattach data.
func (u *unwatched) ID() string { return u.id }

// Started is unknown.
func (u *unwatched) Started() string { return "" }

// Diagnose knows nothing.
func (u *unwatched) Diagnose(context.Context) string { return "" }
