package main

import (
	"slices"
	"strings"
	"testing"
)

// mixedRun is a run with one test of each kind, as printed by go test -json.
const mixedRun = `{"Action":"run","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestBad/part","Output":"    p_test.go:9: broken part\n"}
{"Action":"fail","Package":"p","Test":"TestBad/part"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"--- FAIL: TestBad (0.00s)\n"}
{"Action":"fail","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestPeer","Output":"    p_test.go:12: needs: python3 on the PATH\n"}
{"Action":"skip","Package":"p","Test":"TestPeer"}
{"Action":"output","Package":"p","Test":"TestWindows","Output":"    p_test.go:15: only Windows has these\n"}
{"Action":"skip","Package":"p","Test":"TestWindows"}
{"Action":"output","Package":"p","Test":"TestShy","Output":"    p_test.go:18: not today\n"}
{"Action":"skip","Package":"p","Test":"TestShy"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.003s\n"}
{"Action":"fail","Package":"p"}
`

func TestReportShowsFailuresAndHidesTheChatterOfPassedTests(t *testing.T) {
	var out strings.Builder
	r := &report{out: &out}
	if err := r.read(strings.NewReader(mixedRun)); err != nil {
		t.Fatal(err)
	}
	want := "    p_test.go:9: broken part\n--- FAIL: TestBad (0.00s)\nFAIL\tp\t0.003s\n"
	if out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
	if r.passed != 1 || r.failed != 1 || r.skipped != 3 {
		t.Errorf("counted %d passed, %d failed, %d skipped", r.passed, r.failed, r.skipped)
	}
}

func TestReportListsMissingRequirementsApartFromOtherSkips(t *testing.T) {
	r := &report{out: new(strings.Builder)}
	if err := r.read(strings.NewReader(mixedRun)); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"p TestPeer: needs: python3 on the PATH",
		`p TestShy: not today (a reason begins with "needs: " or "only ")`,
	}
	if !slices.Equal(r.needs, want) {
		t.Errorf("needs %q, want %q", r.needs, want)
	}
	if want := []string{"p TestWindows: only Windows has these"}; !slices.Equal(r.skips, want) {
		t.Errorf("skips %q, want %q", r.skips, want)
	}
}

func TestReportCountsFailuresWithoutAFailedTest(t *testing.T) {
	tests := map[string]struct{ stream, shows string }{
		"a package that does not build": {
			stream: `{"Action":"build-output","ImportPath":"p","Output":"p.go:3: undefined: x\n"}` + "\n" +
				`{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}` + "\n" +
				`{"Action":"fail","Package":"p"}` + "\n",
			shows: "undefined: x",
		},
		"an unfinished test": {
			stream: `{"Action":"output","Package":"p","Test":"TestHangs","Output":"panic: test timed out\n"}` + "\n" +
				`{"Action":"fail","Package":"p"}`,
			shows: "panic: test timed out",
		},
		"a line without an event": {
			stream: "written by a child process\n" + `{"Action":"fail","Package":"p"}` + "\n",
			shows:  "written by a child process",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			r := &report{out: &out}
			if err := r.read(strings.NewReader(test.stream)); err != nil {
				t.Fatal(err)
			}
			if r.failed != 1 {
				t.Errorf("counted %d failures, want 1", r.failed)
			}
			if !strings.Contains(out.String(), test.shows) {
				t.Errorf("printed %q, without %q", out.String(), test.shows)
			}
		})
	}
}

func TestSummaryEndsWithTheCounts(t *testing.T) {
	var out strings.Builder
	r := &report{out: &out, passed: 3, failed: 1, skipped: 2, needs: []string{"a compiler"}}
	r.summary(true)
	if !strings.HasSuffix(out.String(), "\n3 passed, 1 failed, 2 skipped\n") {
		t.Errorf("ends otherwise: %q", out.String())
	}
	if !strings.Contains(out.String(), "NOT TESTED") || !strings.Contains(out.String(), "this is a failure") {
		t.Errorf("does not list the untested parts: %q", out.String())
	}
}
