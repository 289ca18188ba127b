//go:build unix

package faults

import (
	"strings"
	"testing"
)

// TestF3: standard output has a line of noise before the handshake.
func TestF3(t *testing.T) {
	t.Run("goplugin", testF3GoPlugin)
	t.Run("jackfield", testF3Jackfield)
}

func testF3GoPlugin(t *testing.T) {
	tests := []struct{ name, noise, want string }{
		{"text", "loading modules...", "Unrecognized remote plugin message: loading modules..."},
		{"empty line", "", "Unrecognized remote plugin message: "},
		{"four fields", "a|b|c|d", `error parsing core protocol version: strconv.Atoi: parsing "a": invalid syntax`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newWorld(t).goplugin(t, "noise", test.noise, nil)
			_, err := s.Start()
			if err == nil {
				t.Fatal("the start succeeded")
			}
			t.Logf("start: %v", err)
			if !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %q, expected it to begin with %q", err, test.want)
			}
		})
	}
}

// testF3Jackfield sends our host the same noise: it logs and skips the noise.
func testF3Jackfield(t *testing.T) {
	for name, noise := range map[string]string{
		"text":        "loading modules...",
		"empty line":  "",
		"four fields": "a|b|c|d",
		"many lines":  strings.Repeat("loading module after module\n", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			s := newWorld(t).launch(t, "noise", noise)
			s.expectAlive(t)
			s.closeInOrder(t)
			first, _, _ := strings.Cut(noise, "\n")
			if log := s.log.all.String(); !strings.Contains(log, first) || !strings.Contains(log, "before its handshake line") {
				t.Errorf("the log does not have the noise:\n%s", log)
			}
		})
	}
}
