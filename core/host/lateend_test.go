package host_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
)

// lateTransport makes sessions whose timing a test has in hand.
type lateTransport struct {
	*faketransport.Transport

	// dial stands in for Dial, session around what it returns; nil: nothing
	// does.
	dial    func(core.HostLink) error
	session func(core.Session, core.HostLink) core.Session
}

func (l lateTransport) Dial(ctx context.Context, link core.HostLink) (core.Session, error) {
	if l.dial != nil {
		return nil, l.dial(link)
	}
	session, err := l.Transport.Dial(ctx, link)
	if err != nil {
		return nil, err
	}
	return l.session(session, link), nil
}

// lostAnswer is a session whose plugin exits faster than its answer arrives.
type lostAnswer struct {
	core.Session

	link core.HostLink
}

func (l lostAnswer) Quit(ctx context.Context) error {
	_ = l.Session.Quit(ctx)
	<-l.link.Exited
	return core.ErrConnectionLost
}

func TestCloseOfAPluginWhoseAnswerIsLostToItsExitIsAnOrderlyOne(t *testing.T) {
	cfg, log := config(t, "serve", ""), newRecords()
	cfg.Logger = log.logger()
	cfg.Versions = core.Versions{1: {lateTransport{
		Transport: new(faketransport.Transport),
		session:   func(s core.Session, link core.HostLink) core.Session { return lostAnswer{s, link} },
	}}}
	if err := launch(t, cfg).Close(); err != nil {
		t.Error(err)
	}
	if loud := log.from(slog.LevelInfo); len(loud) > 0 {
		t.Errorf("logged above debug: %+v", loud)
	}
}

// unreadSession still has something to read when the process has ended.
type unreadSession struct {
	core.Session

	read    chan struct{} // closed when all has been read
	closing sync.Once
	early   chan bool // gets whether Close came before
}

func (u *unreadSession) Done() <-chan struct{} { return u.read }

func (u *unreadSession) Close() error {
	u.closing.Do(func() {
		select {
		case <-u.read:
			u.early <- false
		default:
			u.early <- true
		}
	})
	return u.Session.Close()
}

func TestSessionMayReadToItsEndWhenTheProcessHasEnded(t *testing.T) {
	for name, test := range map[string]struct {
		takes, grace time.Duration
		early        bool
	}{
		"there is an end":                       {20 * time.Millisecond, patience, false},
		"a child of the plugin's holds it open": {patience, 20 * time.Millisecond, true},
		"no time is given":                      {patience, -1, true},
	} {
		t.Run(name, func(t *testing.T) {
			u := &unreadSession{read: make(chan struct{}), early: make(chan bool, 1)}
			cfg := config(t, "serve", "")
			cfg.Timeouts.ExitGrace = test.grace
			cfg.Versions = core.Versions{1: {lateTransport{
				Transport: new(faketransport.Transport),
				session: func(s core.Session, link core.HostLink) core.Session {
					u.Session = s
					go func() {
						<-link.Exited
						time.AfterFunc(test.takes, func() { close(u.read) })
					}()
					return u
				},
			}}}
			if err := launch(t, cfg).Close(); err != nil {
				t.Error(err)
			}
			if early := <-u.early; early != test.early {
				t.Errorf("closed before the end: %v, expected %v", early, test.early)
			}
		})
	}
}

func TestLaunchLeavesItToItsErrorToTellOfAnEnd(t *testing.T) {
	cfg, log := config(t, "print", "1|1|unix|/nonexistent|fake|\n"), newRecords()
	cfg.Logger = log.logger()
	cfg.Versions = core.Versions{1: {lateTransport{
		Transport: new(faketransport.Transport),
		dial: func(core.HostLink) error {
			log.await(t, "the plugin has ended") // long before the launch knows that it failed
			return errors.New("nobody there")
		},
	}}}
	_, err := host.Launch(within(t), cfg)
	var exit *core.ExitError
	if !errors.As(err, &exit) {
		t.Errorf("got %v, expected a core.ExitError in it", err)
	}
	if loud := log.from(slog.LevelInfo); len(loud) > 0 {
		t.Errorf("logged above debug: %+v", loud)
	}
}
