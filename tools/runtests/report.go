package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// event is one line of `go test -json`, with the fields this program reads.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string // empty for events of the whole package
	Output     string
}

// report collects the events of any number of go test runs and shows the relevant ones.
type report struct {
	out                     io.Writer
	passed, failed, skipped int
	skips                   []string // tests skipped by design
	needs                   []string // requirements missing on this machine
	pending                 map[testID][]byte
	failedIn                map[string]bool // packages with a failed test
}

type testID struct{ pkg, test string }

// read reads one run's events to the end.
func (r *report) read(stream io.Reader) error {
	r.pending = make(map[testID][]byte)
	r.failedIn = make(map[string]bool)

	lines := bufio.NewReader(stream)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.line(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// line handles one event, or shows any other line: a test's child process may have written
// it.
func (r *report) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil || e.Action == "" {
		_, _ = r.out.Write(line)
		return
	}
	switch {
	case e.Action == "build-output":
		fmt.Fprint(r.out, e.Output)
	case e.Action == "output":
		r.output(e)
	case e.Test != "":
		r.testEnded(e)
	case e.Action == "fail":
		r.packageFailed(e.Package)
	}
}

// output shows a package's own lines at once and keeps a test's lines until its end.
func (r *report) output(e event) {
	switch {
	case e.Test != "":
		if !strings.HasPrefix(e.Output, "=== ") {
			id := testID{e.Package, e.Test}
			r.pending[id] = append(r.pending[id], e.Output...)
		}
	case e.Output != "PASS\n":
		fmt.Fprint(r.out, e.Output)
	}
}

// testEnded counts a top-level test, and shows the output of a failed test or subtest.
func (r *report) testEnded(e event) {
	id := testID{e.Package, e.Test}
	count := 1
	if strings.Contains(e.Test, "/") {
		count = 0
	}
	switch e.Action {
	case "pass":
		r.passed += count
	case "skip":
		r.skipped += count
		r.skip(id)
	case "fail":
		r.failed += count
		r.failedIn[e.Package] = true
		fmt.Fprintf(r.out, "%s", r.pending[id])
	default: // run, pause, cont, bench
		return
	}
	delete(r.pending, id)
}

// packageFailed shows the output of unfinished tests (a panic, a timeout). It also counts a
// package that failed without a failed test: the package did not build, or its TestMain
// found a leak.
func (r *report) packageFailed(pkg string) {
	for id, output := range r.pending {
		if id.pkg == pkg {
			fmt.Fprintf(r.out, "--- UNFINISHED: %s\n%s", id.test, output)
			delete(r.pending, id)
		}
	}
	if !r.failedIn[pkg] {
		r.failed++
	}
}

// location matches testing's prefix of a logged line.
var location = regexp.MustCompile(`^\s+\S+\.go:\d+: `)

// skip files a skipped test under its reason.
func (r *report) skip(id testID) {
	reason := "no reason given"
	for line := range strings.Lines(string(r.pending[id])) {
		if location.MatchString(line) {
			reason = strings.TrimSpace(location.ReplaceAllString(line, ""))
		}
	}
	entry := fmt.Sprintf("%s %s: %s", id.pkg, id.test, reason)
	switch {
	case strings.HasPrefix(reason, "only "):
		r.skips = append(r.skips, entry)
	case strings.HasPrefix(reason, "needs: "):
		r.needs = append(r.needs, entry)
	default:
		r.needs = append(r.needs, entry+` (a reason begins with "needs: " or "only ")`)
	}
}

// summary ends the report with the skips, the missing requirements (prominently), and the
// counts.
func (r *report) summary(ci bool) {
	fmt.Fprintln(r.out)
	for _, skip := range r.skips {
		fmt.Fprintln(r.out, "skipped:", skip)
	}
	if len(r.needs) > 0 {
		rule := strings.Repeat("*", 80)
		fmt.Fprintf(r.out, "%s\nNOT TESTED, because this machine lacks a requirement:\n", rule)
		for _, need := range r.needs {
			fmt.Fprintln(r.out, "  -", need)
		}
		if ci {
			fmt.Fprintln(r.out, "CI is true: this is a failure.")
		}
		fmt.Fprintln(r.out, rule)
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
}
