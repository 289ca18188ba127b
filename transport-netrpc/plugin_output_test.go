package transportnetrpc_test

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// print has the plugin print.
func (r *rig) print(t *testing.T, stdout, stderr string) {
	t.Helper()
	if _, err := io.WriteString(r.stdout, stdout); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(r.stderr, stderr); err != nil {
		t.Fatal(err)
	}
}

func TestOutputGoesToTheNextHost(t *testing.T) {
	r := rigUp(t, netrpc.New(served(newCounter)))
	for range 3 {
		h := r.connect(t, nil)
		r.print(t, "out\n", "err\n")
		h.stdout.wait(t, "out\n")
		h.stderr.wait(t, "err\n")
		h.dispense(t).next(t, 1)
		h.Close() // without a word to the plugin: it is to live on
		receive(t, "the end of the session", h.Done())
	}
	last := r.connect(t, nil)
	r.print(t, "last\n", "")
	last.stdout.wait(t, "last\n")
	if err := last.Quit(within(t)); err != nil {
		t.Error(err)
	}
}

func TestSecondHostTakesTheOutputOver(t *testing.T) {
	r := rigUp(t, netrpc.New(served(newCounter)))
	first := r.connect(t, nil)
	second := r.connect(t, nil)
	if err := second.Ping(within(t)); err != nil { // from its answer on the output is the second's
		t.Fatal(err)
	}
	r.print(t, "for the second\n", "")
	second.stdout.wait(t, "for the second\n")
	if text := first.stdout.String(); text != "" {
		t.Errorf("the first host got %q", text)
	}
	if err := first.Ping(within(t)); err != nil {
		t.Error(err)
	}
}

func TestQuitDeliversWhatWasPrinted(t *testing.T) {
	r := rigUp(t, netrpc.New(served(newCounter)))
	h := r.connect(t, nil)
	text := strings.Repeat("a line of output\n", 100_000) // more than all buffers hold
	printed := async(func() error {
		_, err := io.WriteString(r.stdout, text)
		if err == nil {
			_, err = io.WriteString(r.stderr, "the end")
		}
		return err
	})
	if err := receive(t, "the print", printed); err != nil {
		t.Fatal(err)
	}
	if err := h.Quit(within(t)); err != nil {
		t.Fatal(err)
	}
	if got := h.stdout.String(); got != text {
		t.Errorf("%d of %d bytes came", len(got), len(text))
	}
	if got := h.stderr.String(); got != "the end" {
		t.Errorf("stderr: got %q", got)
	}
}

// failing is a sink with an error after its first bytes.
type failing struct {
	left  atomic.Int64
	calls atomic.Int64
}

func (f *failing) Write(p []byte) (int, error) {
	f.calls.Add(1)
	if f.left.Add(-int64(len(p))) < 0 {
		return 0, errExpected
	}
	return len(p), nil
}

// short is a sink against io.Writer's rule.
type short struct{ atomic.Int64 }

func (s *short) Write(p []byte) (int, error) {
	s.Add(1)
	return len(p) / 2, nil
}

func TestFailedSinkDoesNotStopThePlugin(t *testing.T) {
	for name, sink := range map[string]io.Writer{"with an error": new(failing), "in silence": new(short)} {
		t.Run(name, func(t *testing.T) {
			r := rigUp(t, netrpc.New(served(newCounter)))
			h := r.connect(t, func(link *core.HostLink) { link.Stdout = sink })
			printed := async(func() error {
				_, err := io.WriteString(r.stdout, strings.Repeat("x", 3<<20)) // more than all buffers hold
				return err
			})
			if err := receive(t, "the print", printed); err != nil {
				t.Fatal(err)
			}
			r.print(t, "", "still there\n")
			h.stderr.wait(t, "still there\n")
			h.dispense(t).next(t, 1)
			if err := h.Quit(within(t)); err != nil {
				t.Error(err)
			}
			if n := strings.Count(h.log.String(), "level=WARN"); n != 1 || !strings.Contains(h.log.String(), "stream=stdout") {
				t.Errorf("%d warnings, want one, which names the stream:\n%s", n, h.log)
			}
		})
	}
}
