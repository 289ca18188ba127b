package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each case is the go.mod of module one; module two requires lib v1.2.0, and lib requires deep v0.3.0.
func TestFloorsHoldRequirementsAtTheVersionsInTheirComments(t *testing.T) {
	for name, test := range map[string]struct{ requires, want string }{
		"at the floor": {"// v1.2.0: Lib.Do.\nrequire example.org/lib v1.2.0\nrequire example.org/deep v0.3.0 // indirect", ""},
		"in a block":   {"require (\n\t// v1.2.0: Lib.Do,\n\t// missing in older versions.\n\texample.org/lib v1.2.0\n)", ""},
		"raised": {
			"// v1.1.0: Lib.Do.\nrequire example.org/lib v1.2.0",
			"one/go.mod requires example.org/lib@v1.2.0, but the comment above gives the reason for v1.1.0",
		},
		"without a comment": {"require example.org/lib v1.2.0", "without a comment `// v1.2.0: the reason` above it"},
		"without a reason":  {"// v1.2.0:\nrequire example.org/lib v1.2.0", "without a comment"},
		"higher than in another module": {
			"// v1.3.0: Lib.More.\nrequire example.org/lib v1.3.0",
			"two/go.mod requires example.org/lib v1.2.0, but one/go.mod requires v1.3.0: use one version in both",
		},
		"of a newer Go": {
			"go 1.26.0",
			"two/go.mod requires go 1.25.0, but one/go.mod requires 1.26.0: use one version in both",
		},
		"raised and indirect": {
			"// v1.2.0: Lib.Do.\nrequire example.org/lib v1.2.0\nrequire example.org/deep v0.4.0 // indirect",
			"one/go.mod requires example.org/deep@v0.4.0, and no other requirement asks for that version",
		},
		"on a sibling": {"require example.org/ours/two v0.0.0\nrequire example.org/lib v1.2.0 // indirect", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			module(t, "one", "example.org/ours/one", test.requires)
			module(t, "two", "example.org/ours/two", "// v1.2.0: Lib.Do.\nrequire example.org/lib v1.2.0")
			module(t, "lib", "example.org/lib", "require example.org/deep v0.3.0")
			module(t, "deep", "example.org/deep", "")
			got := ""
			if err := run([]string{"one", "two"}); err != nil {
				got = filepath.ToSlash(err.Error())
			}
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// module writes a module and points its requirements to the folders beside it.
func module(t *testing.T, folder, path, requires string) {
	t.Helper()
	if !strings.HasPrefix(requires, "go ") {
		requires = "go 1.25.0\n\n" + requires
	}
	text := "module " + path + "\n\n" + requires + "\n"
	for path, folder := range map[string]string{"lib": "lib", "deep": "deep", "ours/two": "two"} {
		text += "\nreplace example.org/" + path + " => ../" + folder + "\n"
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "go.mod"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
