package discovery_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/sums"
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

// searchExplicit searches directories named for this run.
func searchExplicit(t *testing.T, dirs ...string) *discovery.Found {
	t.Helper()
	search := discovery.Search{Naming: discovery.Naming{App: "greet"}}
	for _, dir := range dirs {
		search.Dirs = append(search.Dirs, discovery.Dir{Path: dir, Origin: discovery.OriginExplicit})
	}
	found, err := search.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) > 0 && search.Dirs[0].Path != dirs[0] {
		t.Errorf("Find changed its caller's directories: %+v", search.Dirs)
	}
	return found
}

func TestExplicitDirectoryMayBeRelative(t *testing.T) {
	dir := t.TempDir()
	path := testkit.Put(t, filepath.Join(dir, "plugins"), "greet-plugin-loud", "")
	t.Chdir(dir)
	for _, relative := range []string{"plugins", "./plugins", "../" + filepath.Base(dir) + "/plugins/"} {
		found := searchExplicit(t, relative)
		if len(found.Plugins) != 1 || len(found.Problems) != 0 || !filepath.IsAbs(found.Plugins[0].Path) {
			t.Fatalf("%s: found %+v, problems %s", relative, found.Plugins, problems(found))
		}
		if same, err := filepath.EvalSymlinks(found.Plugins[0].Path); err != nil || filepath.Base(same) != filepath.Base(path) {
			t.Errorf("%s: found %s, %v", relative, found.Plugins[0].Path, err)
		}
	}
}

// A person named it, and would not learn otherwise of an error in it.
func TestExplicitDirectoryMustExist(t *testing.T) {
	t.Chdir(t.TempDir())
	found := searchExplicit(t, "plugins")
	if problems(found) != "plugins missing" || !filepath.IsAbs(found.Problems[0].Path) {
		t.Errorf("problems %s", problems(found))
	}
	var none *discovery.NoneError
	_, err := new(discovery.Resolver).Resolve(t.Context(), found, discovery.Request{Name: "loud"})
	if !errors.As(err, &none) || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("got %v", err)
	}
}

// An unset flag or variable must not mean the current directory.
func TestEmptyExplicitDirectoryIsNotSearched(t *testing.T) {
	t.Chdir(t.TempDir())
	testkit.Put(t, ".", "greet-plugin-loud", "")
	found := searchExplicit(t, "")
	if len(found.Plugins) != 0 || len(found.Problems) != 1 {
		t.Errorf("found %+v, problems %s", found.Plugins, problems(found))
	}
}

func TestExplicitDirectoryThatEverybodyMayChangeIsNotSearched(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing there")
	}
	root := t.TempDir()
	open := filepath.Join(root, "open")
	testkit.Put(t, filepath.Join(open, "plugins"), "greet-plugin-loud", "")
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	if found := searchExplicit(t, "open/plugins"); len(found.Plugins) != 0 || problems(found) != "plugins world-writable" {
		t.Errorf("found %+v, problems %s", found.Plugins, problems(found))
	}
	t.Chdir(open)
	if found := searchExplicit(t, "."); len(found.Plugins) != 0 || problems(found) != "open world-writable" {
		t.Errorf("found %+v, problems %s", found.Plugins, problems(found))
	}
}

// Only a named file overrides; a directory may have files of any origin.
func TestExplicitDirectoryOverridesNothing(t *testing.T) {
	dir := t.TempDir()
	path := testkit.Put(t, dir, "greet-plugin-loud_v1.4.0", "one")
	testkit.Put(t, dir, "greet-plugin-loud_new", "")
	found := searchExplicit(t, dir)
	if len(found.Plugins) != 1 {
		t.Fatalf("found %+v, problems %s", found.Plugins, problems(found))
	}
	resolve := func(resolver discovery.Resolver, versions string) error {
		_, err := resolver.Resolve(t.Context(), found, discovery.Request{Name: "loud", Version: testkit.Constraint(t, versions)})
		return err
	}
	if err := resolve(discovery.Resolver{}, "1.4"); err != nil {
		t.Error(err)
	}
	var none *discovery.NoneError
	if err := resolve(discovery.Resolver{}, ">= 2"); !errors.As(err, &none) {
		t.Errorf("for another version got %v", err)
	}
	if err := resolve(discovery.Resolver{Lock: new(lockfile.File)}, ""); !errors.As(err, &none) || !errors.Is(none.Rejected[0].Err, discovery.ErrUnlocked) {
		t.Errorf("outside the lock file got %v", err)
	}
	locked := new(lockfile.File)
	locked.Set(lockfile.Entry{
		Key: lockfile.Key{Name: "loud", Version: testkit.Version(t, "1.4.0")}, Sum: sums.Of([]byte("two")),
	})
	var mismatch *sums.MismatchError
	if err := resolve(discovery.Resolver{Lock: locked}, ""); !errors.As(err, &mismatch) || mismatch.Path != path {
		t.Errorf("with another sum got %v", err)
	}
}

func TestGlobFindsPlugins(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"greeter-loud", "greeter-soft", "counter-slow"} {
		testkit.Put(t, filepath.Join(dir, "plugins"), name, "")
	}
	if err := os.WriteFile(filepath.Join(dir, "plugins", "greeter-notes.txt"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	pattern := "greeter-*"
	found, err := discovery.Glob("./plugins", pattern).Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, plugin := range found.Plugins {
		names = append(names, plugin.Name)
		if !filepath.IsAbs(plugin.Path) {
			t.Errorf("the path is %s", plugin.Path)
		}
	}
	if strings.Join(names, " ") != "greeter-loud greeter-soft" || len(found.Problems) != 0 {
		t.Errorf("found %v, problems %s", names, problems(found))
	}
	plugin, err := new(discovery.Resolver).Resolve(t.Context(), found, discovery.Request{Name: "greeter-soft"})
	if err != nil || plugin.Name != "greeter-soft" {
		t.Errorf("got %+v, %v", plugin, err)
	}
	// The last is go-plugin's order of the arguments, or a file in a directory of its own.
	for _, wrong := range []string{"", "[", "./plugins"} {
		if _, err := discovery.Glob("./plugins", wrong).Find(t.Context()); err == nil || !strings.Contains(err.Error(), "Glob") {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
}

func TestAnEmptyPathIsSaidToBeEmpty(t *testing.T) {
	found, err := discovery.Glob("", "*").Find(t.Context())
	if err != nil || len(found.Problems) != 1 {
		t.Fatalf("got %+v, %v", found, err)
	}
	if text := found.Problems[0].Error(); !strings.HasPrefix(text, "an empty path: it names no file or directory") {
		t.Errorf("got %s", text)
	}
}
