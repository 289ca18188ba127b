package main

import (
	"strings"
	"testing"
)

func TestCheckPathTakesWhatGoGetFinds(t *testing.T) {
	folders := []string{"core", "sdk-template/scaffold"}
	for path, want := range map[string]string{
		"example.org/acme/panel":         "",
		"example.org":                    "",
		"github.com/Acme/panel_2":        "",
		"example.org/acme/panel.git":     "",
		"":                               "no module path is given",
		"example.com/old/name":           "is the module path already",
		"panel":                          "missing dot in first path element",
		"acme/panel":                     "missing dot in first path element",
		"Example.org/acme/panel":         "invalid char 'E' in first path element",
		"https://example.org/acme/panel": "malformed module path",
		"example.org/acme/panel/":        "trailing slash",
		"/example.org/acme":              "malformed module path",
		"example.org//acme":              "double slash",
		"example.org/acme panel":         "invalid char ' '",
		"example.org/../acme":            "malformed module path",
		"example.org/acme/panel/v2":      "ends in a major version",
		"example.org/acme/panel/v1":      "malformed module path",
		"gopkg.in/acme/panel.v2":         "ends in a major version",
		"gopkg.in/acme/panel":            "malformed module path",
		"example.org/acme/panel@v1.0.0":  "invalid char '@'",
	} {
		err := checkPath(path, "example.com/old/name", folders)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", path, err, want)
		}
	}
}

// A folder can turn a valid path into an invalid module path.
func TestCheckPathLooksAtThePathOfEachModule(t *testing.T) {
	err := checkPath("example.org/acme/panel", "example.com/old/name", []string{"core", "parts/v1"})
	if err == nil || !strings.Contains(err.Error(), "example.org/acme/panel/parts/v1") {
		t.Errorf("got %v, want an error with the module's path", err)
	}
}

func TestBufModuleFollowsThePath(t *testing.T) {
	for _, test := range []struct{ path, wanted, want string }{
		{path: "example.org/acme/panel", want: "buf.build/acme/panel"},
		{path: "example.org/deep/Acme/Panel", want: "buf.build/acme/panel"},
		{path: "example.org/acme/panel", wanted: "other/name", want: "buf.build/other/name"},
		{path: "example.org/acme/panel", wanted: "registry.example/other/name", want: "registry.example/other/name"},
		{path: "example.org/panel"},
		{path: "example.org"},
		{path: "example.org/acme/panel.go"},
		{path: "example.org/acme/panel", wanted: "panel"},
		{path: "example.org/acme/panel", wanted: "acme/panel-"},
		{path: "example.org/acme/panel", wanted: "a/b/c/d"},
		{path: "example.org/acme/panel", wanted: "acme/" + strings.Repeat("x", 101)},
	} {
		got, err := newBufModule("buf.build/old/name", test.path, test.wanted)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s, %q: got %q, %v, want %q", test.path, test.wanted, got, err, test.want)
		}
	}
}
