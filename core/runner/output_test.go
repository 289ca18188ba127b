package runner_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestOutputWrittenJustBeforeTheEndIsReadWhole(t *testing.T) {
	const size = 1 << 20
	p := started(t, helper("flood", strconv.Itoa(size)))
	stdout, stderr := readBoth(t, p)
	if len(stdout) != size || len(stderr) != size {
		t.Errorf("read %d and %d bytes, want %d", len(stdout), len(stderr), size)
	}
}

func TestOutputIsReadAfterTheEnd(t *testing.T) {
	p := started(t, helper("flood", "4000")) // less than a pipe holds
	waitExit(t, p)
	stdout, stderr := readBoth(t, p)
	if len(stdout) != 4000 || len(stderr) != 4000 {
		t.Errorf("read %d and %d bytes", len(stdout), len(stderr))
	}
	if n, err := p.Stdout().Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("reading on: %d, %v", n, err)
	}
	if err := p.Stdout().Close(); err != nil {
		t.Errorf("closing at the end: %v", err)
	}
}

// Field note F9: the plugin dies while its child holds its outputs.
func TestOutputEndsThoughADescendantHoldsIt(t *testing.T) {
	before := census(t)
	p := started(t, helper("grandchild"))
	stdout, stderr := readBoth(t, p)
	killReported(t, stderr)
	if exit := waitExit(t, p); exit.Code != 7 {
		t.Error(exit)
	}
	if strings.Contains(stdout, "ready") {
		t.Log("the descendant was quick enough to be heard")
	}
	if !strings.HasSuffix(stderr, "last words\n") {
		t.Errorf("stderr %q", stderr)
	}
	before.awaitSame(t)
}

func TestOutputEndsThoughADescendantNeverStopsWriting(t *testing.T) {
	before := census(t)
	p := started(t, helper("chatty"))
	waitExit(t, p) // the pipe is read from now on only
	_, stderr := readBoth(t, p)
	// Its words may stand before the plugin's own, and behind them.
	if !strings.Contains(stderr, "last words\n") {
		t.Errorf("the last words are not among %d bytes", len(stderr))
	}
	before.awaitSame(t)
}

func TestReadThatWaitsEndsWithTheProcess(t *testing.T) {
	p := started(t, helper("hang"))
	awaitReady(t, p)
	type result struct {
		n   int
		err error
	}
	done := make(chan result)
	go func() {
		n, err := p.Stderr().Read(make([]byte, 10))
		done <- result{n, err}
	}()
	if err := p.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got.n != 0 || got.err != io.EOF {
		t.Errorf("got %d, %v", got.n, got.err)
	}
}

func TestOutputCanBeClosedEarly(t *testing.T) {
	before := census(t)
	p := started(t, helper("flood", "1000000"))
	read := make(chan error)
	go func() {
		_, err := io.Copy(io.Discard, p.Stderr())
		read <- err
	}()
	if err := p.Stdout().Close(); err != nil {
		t.Error(err)
	}
	if err := p.Stdout().Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if _, err := p.Stdout().Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("reading what was closed: %v", err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
	waitExit(t, p)
	before.awaitSame(t)
}

func TestCloseWakesAReadThatWaits(t *testing.T) {
	p := started(t, helper("hang"))
	awaitReady(t, p)
	reading := make(chan struct{})
	done := make(chan error)
	go func() {
		close(reading)
		_, err := p.Stderr().Read(make([]byte, 10))
		done <- err
	}()
	<-reading
	p.Stderr().Close()
	if err := <-done; !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestOutputThatTheProcessClosesEnds(t *testing.T) {
	p := started(t, helper("closed"))
	if stdout, stderr := readBoth(t, p); stdout != "" || stderr != "" {
		t.Errorf("read %q and %q", stdout, stderr)
	}
	if err := p.Kill(t.Context()); err != nil {
		t.Error(err)
	}
}

// killReported ends the process whose ID a helper printed.
func killReported(t *testing.T, text string) {
	t.Helper()
	var pid int
	if _, err := fmt.Sscanf(text, "pid %d\n", &pid); err != nil {
		t.Fatalf("no pid in %q: %v", text, err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Errorf("the descendant was gone before it was killed: %v", err)
	}
	process.Release()
}
