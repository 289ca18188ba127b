package serving_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/serving"
)

// recorder is a transport whose server notes what is done to it.
type recorder struct {
	core.Transport
	core.Server

	link   core.PluginLink
	serve  func(net.Conn)
	answer sync.WaitGroup // to the host that asked

	mu    sync.Mutex
	notes []string
}

func (r *recorder) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, text)
}

func (r *recorder) NewServer(_ context.Context, link core.PluginLink) (core.Server, error) {
	r.link = link
	return r, nil
}

func (r *recorder) Serve(conn net.Conn) error {
	defer conn.Close()
	if r.serve != nil {
		r.serve(conn)
	}
	return nil
}

func (r *recorder) Flush(context.Context) error {
	r.note("flush")
	return nil
}

func (r *recorder) Close(context.Context) {
	r.answer.Wait()
	r.note("close")
}

// listener accepts what the test sends.
type listener struct {
	accept chan any // a net.Conn or an error
	closed chan struct{}
	once   sync.Once
}

func newListener() *listener { return &listener{accept: make(chan any), closed: make(chan struct{})} }

func (l *listener) Accept() (net.Conn, error) {
	select {
	case next := <-l.accept:
		if err, ok := next.(error); ok {
			return nil, err
		}
		return next.(net.Conn), nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return new(net.UnixAddr) }

// run serves in the test's bubble.
func run(t *testing.T, r *recorder) (s *serving.Server, l *listener, served <-chan error) {
	t.Helper()
	link := core.PluginLink{Logger: slog.New(slog.DiscardHandler)}
	s, err := serving.New(t.Context(), r, link, serving.Config{
		Timeout: time.Second,
		Leave:   func(context.Context) { r.note("leave") },
	})
	if err != nil {
		t.Fatal(err)
	}
	l = newListener()
	c := make(chan error, 1)
	go func() { c <- s.Serve(l) }()
	return s, l, c
}

func TestServeLeavesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		_, _, served := run(t, r)
		if !r.link.Calls.Begin() {
			t.Fatal("the call was refused")
		}
		r.answer.Go(func() {
			r.link.Quit()
			r.note("answer")
		})
		synctest.Wait()
		if len(r.notes) > 0 {
			t.Errorf("%q while a call was in flight", r.notes)
		}
		r.note("call")
		r.link.Calls.End()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if want := []string{"call", "leave", "flush", "answer", "close"}; !slices.Equal(r.notes, want) {
			t.Errorf("got the order %q, want %q", r.notes, want)
		}
	})
}

func TestCallsThatTakeTooLongAreCutOffBeforeTheShutdownFunctions(t *testing.T) {
	for name, test := range map[string]struct {
		heedless bool
		want     []string
		after    time.Duration // of which the shutdown functions run
	}{
		"a call that heeds its context": {false, []string{"call", "leave", "flush", "close"}, 500 * time.Millisecond},
		"one that does not":             {true, []string{"leave", "flush", "close"}, 625 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := new(recorder)
				s, _, served := run(t, r)
				begun := time.Now()
				r.link.Calls.Begin()
				if !test.heedless {
					context.AfterFunc(r.link.Calls.Context(), func() {
						r.note("call")
						r.link.Calls.End()
					})
				}
				s.Leave()
				if err := <-served; err != nil {
					t.Error(err)
				}
				if !slices.Equal(r.notes, test.want) {
					t.Errorf("got the order %q, want %q", r.notes, test.want)
				}
				if took := time.Since(begun); took != test.after {
					t.Errorf("it took %v, want %v", took, test.after)
				}
			})
		})
	}
}

func TestCloseWaitsForNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		s, _, served := run(t, r)
		r.link.Calls.Begin()
		synctest.Wait()
		begun := time.Now()
		s.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

// The numbers are those of Windows for no more files and no more buffers.
func TestAcceptingPausesWhileThereIsNoRoomForConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		accepted := make(chan struct{})
		r := &recorder{serve: func(net.Conn) { close(accepted) }}
		s, l, served := run(t, r)
		begun := time.Now()
		for _, shortage := range []syscall.Errno{syscall.EMFILE, 10024, 10055} {
			l.accept <- shortage
		}
		near, far := net.Pipe()
		defer far.Close()
		l.accept <- near
		<-accepted
		if got, want := time.Since(begun), (5+10+20)*time.Millisecond; got != want {
			t.Errorf("the connection was accepted after %v, want %v", got, want)
		}
		s.Leave()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func TestServeLeavesInOrderAfterAListenerError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		_, l, served := run(t, r)
		l.accept <- io.ErrUnexpectedEOF
		if err := <-served; !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v, want the listener's error", err)
		}
		if want := []string{"leave", "flush", "close"}; !slices.Equal(r.notes, want) {
			t.Errorf("got the order %q, want %q", r.notes, want)
		}
	})
}
