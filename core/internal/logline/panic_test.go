package logline

import (
	"io"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPumpMakesAPanicOneRecord(t *testing.T) {
	tests := []struct {
		name, in string
		limit    int
		want     []string
	}{
		{"a panic", "a\npanic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:1 +0x1d\nexit status 2\n", 0,
			[]string{"info a", "error panic: boom | stack=goroutine 1 [running]:\nmain.main()\n\t/x.go:1 +0x1d\nexit status 2"}},
		{"a fatal error", "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1:\n\ngoroutine 2:\n", 0,
			[]string{"error fatal error: all goroutines are asleep - deadlock! | stack=goroutine 1:\n\ngoroutine 2:"}},
		{"a panic in a panic", "panic: a [recovered]\n\tpanic: b\n", 0, []string{"error panic: a [recovered] | stack=\tpanic: b"}},
		{"a second panic", "panic: a\npanic: b\n", 0, []string{"error panic: a | stack=panic: b"}},
		{"only the first line", "panic: a", 0, []string{"error panic: a"}},
		{"an unexpected signal", "SIGSEGV: segmentation violation\nPC=0x1 m=0 sigcode=0\n", 0,
			[]string{"error SIGSEGV: segmentation violation | stack=PC=0x1 m=0 sigcode=0"}},
		{"a program's own line about a signal", "SIGTERM: leaving\nSIGSEGV: segmentation violation, again\n", 0,
			[]string{"info SIGTERM: leaving", "info SIGSEGV: segmentation violation, again"}},
		{"an endless recursion", "runtime: goroutine stack exceeds 1000000000-byte limit\nruntime: sp=0xc0\nfatal error: stack overflow\n", 0,
			[]string{"error runtime: goroutine stack exceeds 1000000000-byte limit | stack=runtime: sp=0xc0\nfatal error: stack overflow"}},
		{"an exception of C++", "terminate called after throwing an instance of 'int'\n", 0,
			[]string{"error terminate called after throwing an instance of 'int'"}},
		{"not at the start of the line", "don't panic: it's fine", 0, []string{"info don't panic: it's fine"}},
		{"lines with a level inside", "panic: a\n[INFO] b\n", 0, []string{"error panic: a | stack=[INFO] b"}},
		{"a record inside", "panic: a\n{\"@level\":\"info\",\"@message\":\"m\"}\n\ngoroutine 1:\nmain()\n", 0,
			[]string{"error panic: a", "info m", "error goroutine 1: | stack=main() | continued=true"}},
		{"an object without a level inside", "panic: a\n{}\nb\n", 0, []string{"error panic: a", "info {}", "error b | continued=true"}},
		{"a line with a level behind a record", "panic: a\n{}\n[INFO] b\nc\n", 0,
			[]string{"error panic: a", "info {}", "info b", "error c | continued=true"}},
		{"more than the limit", "panic: a\n1234\n5678\n9\n", 14,
			[]string{"error panic: a | stack=1234", "error 5678 | stack=9 | continued=true"}},
		{"a line over the limit", "panic: abcdefgh\nxy\n", 10,
			[]string{"error panic: abc", "error defgh | stack=xy | continued=true"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			equalLines(t, pumped(t, tt.in, Config{MaxLine: tt.limit}), tt.want)
		})
	}
}

func TestPanicIsLoggedWhenThePluginLivesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &recorder{level: math.MinInt}
		r, w := io.Pipe()
		done := make(chan error, 1)
		go func() { done <- Pump(r, Config{Logger: slog.New(kept), PanicDelay: time.Second}) }()
		expect := func(lines ...string) {
			t.Helper()
			synctest.Wait()
			got := []string{}
			for _, record := range kept.records() {
				got = append(got, shown(record))
			}
			equalLines(t, got, lines)
		}
		write := func(text string) {
			if _, err := io.WriteString(w, text); err != nil {
				t.Error(err)
			}
		}

		write("panic: a\n")
		<-time.After(900 * time.Millisecond)
		write("b\n") // restarts the delay
		<-time.After(900 * time.Millisecond)
		expect()
		<-time.After(200 * time.Millisecond)
		expect("error panic: a | stack=b")

		write("c\n[INFO] d\n") // not part of the text, but errors unless they have a level
		expect("error panic: a | stack=b", "error c", "info d")

		write("panic: e\n")
		expect("error panic: a | stack=b", "error c", "info d")
		_ = w.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		expect("error panic: a | stack=b", "error c", "info d", "error panic: e")
	})
}

func TestPanicSurvivesAPauseInsideItsTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &recorder{level: math.MinInt}
		r, w := io.Pipe()
		done := make(chan error, 1)
		go func() { done <- Pump(r, Config{Logger: slog.New(kept), PanicDelay: time.Second}) }()
		count := func(when string, want int) {
			t.Helper()
			synctest.Wait()
			if n := len(kept.records()); n != want {
				t.Errorf("%s: %d records, want %d", when, n, want)
			}
		}
		for _, text := range []string{
			"fatal error: stack overflow\n\ngoroutine 1 [running]:\n", "main.f(...)\n\t/x.go:1\n",
			"...500 frames elided...\n", "main.main()\n",
		} {
			if _, err := io.WriteString(w, text); err != nil {
				t.Error(err)
			}
			<-time.After(40 * time.Second)
			count("in the middle of a trace", 0)
		}
		if _, err := io.WriteString(w, "\t/x.go:2\n"); err != nil {
			t.Error(err)
		}
		<-time.After(2 * time.Second)
		count("after the outermost frame", 1)
		if _, err := io.WriteString(w, "\ngoroutine 2 [select]:\nmain.g()\n\t/x.go:3\n"); err != nil {
			t.Error(err)
		}
		_ = w.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		count("at the end", 2)
		if last := shown(kept.records()[1]); !strings.HasSuffix(last, "continued=true") {
			t.Errorf("the rest of the trace: %s", last)
		}
	})
}

func TestPanicCanWaitForTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &recorder{level: math.MinInt}
		r, w := io.Pipe()
		done := make(chan error, 1)
		go func() { done <- Pump(r, Config{Logger: slog.New(kept), PanicDelay: -1}) }()
		if _, err := io.WriteString(w, "panic: a\n"); err != nil {
			t.Error(err)
		}
		<-time.After(time.Hour)
		if n := len(kept.records()); n != 0 {
			t.Errorf("%d records before the end, want none", n)
		}
		_ = w.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := len(kept.records()); n != 1 {
			t.Errorf("%d records, want 1", n)
		}
	})
}

func TestPanicTimerRacesWithLines(t *testing.T) {
	kept := &recorder{level: math.MinInt}
	text := strings.Repeat("panic: a\nb\n{\"@level\":\"info\"}\nc\n", 500)
	if err := Pump(strings.NewReader(text), Config{Logger: slog.New(kept), PanicDelay: time.Nanosecond}); err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, record := range kept.records() {
		lines++
		record.Attrs(func(attr slog.Attr) bool {
			if attr.Key == "stack" {
				lines += 1 + strings.Count(attr.Value.String(), "\n")
			}
			return true
		})
	}
	if lines != 2000 {
		t.Errorf("%d lines in the records, want 2000", lines)
	}
}
