package transporttest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

// callbackTests try a host's arguments that the plugin calls.
var callbackTests = map[string]func(*testing.T, *fixture){
	"calls back into the host":                         ask,
	"calls back into the host many times at once":      askAtOnce,
	"passes a reader and a writer":                     copyThrough,
	"does not take a reader's failure for its end":     failingReader,
	"does not lose a writer's failure":                 failingWriter,
	"ends a blocked callback when the plugin is ended": closeDuringCallback,
}

func ask(t *testing.T, f *fixture) {
	answer := func(_ context.Context, question string) (string, error) { return "you asked: " + question, nil }
	got, err := f.probe.Ask(within(t), answer, "why?")
	if err != nil || got != "you asked: why?" {
		t.Fatalf("got %q, %v", got, err)
	}
	refuse := func(context.Context, string) (string, error) { return "", errors.New("no comment") }
	if _, err := f.probe.Ask(within(t), refuse, "why?"); err == nil || !strings.Contains(err.Error(), "no comment") {
		t.Fatalf("got error %v, want the callback's", err)
	}
}

func askAtOnce(t *testing.T, f *fixture) {
	var calls sync.WaitGroup
	for i := range 32 {
		calls.Go(func() {
			answer := func(_ context.Context, question string) (string, error) { return fmt.Sprint(question, i), nil }
			if got, err := f.probe.Ask(within(t), answer, "n"); err != nil || got != fmt.Sprint("n", i) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	calls.Wait()
}

func copyThrough(t *testing.T, f *fixture) {
	for _, size := range []int64{0, 1, 100, 3 << 20} {
		var sent, received bytes.Buffer
		n, err := f.probe.Copy(within(t), &received, io.TeeReader(io.LimitReader(rand.Reader, size), &sent))
		if err != nil || n != size || !bytes.Equal(sent.Bytes(), received.Bytes()) {
			t.Fatalf("of %d bytes %d were copied and %d arrived, equal: %t; error %v",
				size, n, received.Len(), bytes.Equal(sent.Bytes(), received.Bytes()), err)
		}
	}
}

func failingReader(t *testing.T, f *fixture) {
	broken := io.MultiReader(strings.NewReader("some"), iotest.ErrReader(errors.New("the tape tore")))
	if n, err := f.probe.Copy(within(t), io.Discard, broken); err == nil {
		t.Errorf("the plugin copied %d bytes of a reader that fails, and noticed nothing", n)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func failingWriter(t *testing.T, f *fixture) {
	if _, err := f.probe.Copy(within(t), brokenWriter{}, strings.NewReader("some")); err == nil {
		t.Error("the plugin copied to a writer that fails, and noticed nothing")
	}
}

func closeDuringCallback(t *testing.T, f *fixture) {
	reached := make(chan struct{})
	wait := func(ctx context.Context, _ string) (string, error) {
		close(reached)
		<-ctx.Done()
		return "", ctx.Err()
	}
	returned := make(chan error, 1)
	go func() {
		_, err := f.probe.Ask(within(t), wait, "x")
		returned <- err
	}()
	select {
	case <-reached:
	case err := <-returned:
		t.Fatalf("the call ended before its callback: %v", err)
	}
	if err := f.client.Kill(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := <-returned; err == nil {
		t.Error("the call returned no error")
	}
}
