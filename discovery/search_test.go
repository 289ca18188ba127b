package discovery_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
)

func problems(found *discovery.Found) string {
	var reasons []string
	for _, problem := range found.Problems {
		reasons = append(reasons, filepath.Base(problem.Path)+" "+string(problem.Reason))
	}
	return strings.Join(reasons, ", ")
}

// A relative directory is not searched, so it hides no other name of itself.
func TestRelativeDirectoryHidesNoOtherNameOfItself(t *testing.T) {
	dir := t.TempDir()
	path := testkit.Put(t, filepath.Join(dir, "plugins"), "greet-plugin-loud", "")
	t.Chdir(dir)
	found := testkit.Find(t, "plugins", filepath.Dir(path))
	if len(found.Plugins) != 1 || found.Plugins[0].Path != path || problems(found) != "plugins relative" {
		t.Errorf("found %+v, problems %s", found.Plugins, problems(found))
	}
}

// Whoever can replace a link on the way chooses the plugin.
func TestLinkInADirectoryOfEverybodysIsNotFollowed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing there")
	}
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(root, "open")
	if err := os.Mkdir(open, 0o755); err != nil {
		t.Fatal(err)
	}
	testkit.Put(t, filepath.Join(root, "real"), "greet-plugin-loud", "")
	binary := testkit.Put(t, filepath.Join(root, "bin"), "binary", "")
	for link, target := range map[string]string{
		filepath.Join(open, "plugins"):                      filepath.Join(root, "real"), // a directory by way of it
		filepath.Join(open, "binary"):                       binary,                      // a link by way of it
		filepath.Join(root, "chain"):                        filepath.Join(open, "plugins"),
		filepath.Join(root, "real", "greet-plugin-chain"):   "../open/binary",
		filepath.Join(root, "real", "greet-plugin-through"): "../open/../bin/binary",
		filepath.Join(root, "real", "greet-plugin-fine"):    "../bin/../bin/binary",
	} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	found := testkit.Find(t, filepath.Join(open, "plugins"))
	if len(found.Plugins) != 0 || problems(found) != "plugins world-writable" || found.Problems[0].By != open {
		t.Errorf("by way of a link: %+v, problems %s", found.Plugins, problems(found))
	}
	found = testkit.Find(t, filepath.Join(root, "chain"))
	if len(found.Plugins) != 0 || problems(found) != "chain world-writable" {
		t.Errorf("by way of two: %+v, problems %s", found.Plugins, problems(found))
	}
	found = testkit.Find(t, filepath.Join(root, "real"))
	if problems(found) != "greet-plugin-chain world-writable, greet-plugin-through world-writable" || len(found.Plugins) != 2 {
		t.Errorf("files: %+v, problems %s", found.Plugins, problems(found))
	}
}

// A terminal obeys control characters in a file's name.
func TestProblemPrintsNoControlCharacters(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("names have none there")
	}
	dir := t.TempDir()
	testkit.Put(t, dir, "greet-plugin-\x1b[2J\xff\n\u202e", "")
	if err := os.Symlink("nothing", filepath.Join(dir, "greet-plugin-loud\x07")); err != nil {
		t.Fatal(err)
	}
	found := testkit.Find(t, dir)
	if len(found.Problems) != 2 {
		t.Fatalf("problems %s", problems(found))
	}
	for _, problem := range found.Problems {
		if text := problem.Error(); strings.ContainsAny(text, "\x1b\n\x07\u202e\ufffd") || !strings.Contains(text, `greet-plugin-`) {
			t.Errorf("it reads %q", text)
		}
	}
	if text := found.Problems[0].Error(); !strings.Contains(text, `\x1b[2J\xff\n\u202e`) {
		t.Errorf("it reads %q", text)
	}
}

// On Windows some name them like that.
func TestSuffixOfProgramsMayBeInCapitals(t *testing.T) {
	naming := discovery.Naming{App: "greet"}
	id, err := naming.Parse("greet-plugin-loud_v1.4.0.EXE")
	if err != nil || id.Name != "loud" || !id.Exe || id.Version != testkit.Version(t, "1.4.0") {
		t.Errorf("got %+v, %v", id, err)
	}
}

func TestHomeMustBeAnAbsolutePath(t *testing.T) {
	places := discovery.Places{App: "greet", Home: "here", LookupEnv: func(string) (string, bool) { return "", false }}
	if dir, err := places.UserDir(); err == nil {
		t.Errorf("got %s", dir)
	}
	for _, dir := range places.Dirs() {
		if dir.Origin == discovery.OriginUser {
			t.Errorf("got %+v", dir)
		}
	}
}
