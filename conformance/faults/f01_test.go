//go:build unix

package faults

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestF1: the plugin writes a JSON log line with a field of an unexpected type.
func TestF1(t *testing.T) {
	t.Run("goplugin", testF1GoPlugin)
	t.Run("jackfield", testF1Jackfield)
}

// linesF1 are log lines whose fields have unexpected types.
func linesF1() []string {
	return []string{`{"@message":5}`, `{"@level":["info"]}`, `{"@timestamp":1735689600}`}
}

func testF1GoPlugin(t *testing.T) {
	for _, line := range linesF1() {
		t.Run(line, func(t *testing.T) {
			w := newWorld(t)
			_, stderr, status := w.runHost(t, "goplugin/host of F1", line)
			reason := firstLine(stderr, "panic: ")
			t.Logf("host: exit status %d, %s", status, reason)
			if status != 2 || !strings.Contains(reason, "interface conversion") {
				t.Errorf("the host did not panic: %s", stderr)
			}
		})
	}
}

// playHostF1 is a host: it starts a plugin and waits for its end.
func playHostF1(w world, line string) int {
	s, err := w.subject("goplugin/bad log", line, nil)
	if err != nil {
		return exitBadRole
	}
	if _, err := s.probe(); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		return exitBadRole
	}
	select {}
}

// testF1Jackfield sends our host the same lines: it logs them and continues.
func testF1Jackfield(t *testing.T) {
	for _, line := range linesF1() {
		for _, role := range []string{"goplugin/bad log", "jackfield/bad log"} {
			t.Run(role+" "+line, func(t *testing.T) {
				s := newWorld(t).launch(t, role, line)
				s.expectAlive(t)
				if err := s.Stop(bounded(t)); err != nil { // completes the log
					t.Error(err)
				}
				if log := s.log.all.String(); !strings.Contains(log, strconv.Quote(line)) {
					t.Errorf("the line is not in the log as it stands:\n%s", log)
				}
			})
		}
	}
}
