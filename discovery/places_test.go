package discovery_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
)

func list(paths ...string) string { return strings.Join(paths, string(os.PathListSeparator)) }

func TestPlacesAreInTheirOrder(t *testing.T) {
	root := t.TempDir()
	in := func(parts ...string) string { return filepath.Join(append([]string{root}, parts...)...) }
	variables := map[string]string{
		"MY_APP_PLUGIN_PATH": list(in("first"), "", in("second"), "relative"),
		"PATH":               list(in("bin"), "", "."),
	}
	places := discovery.Places{
		App: "my-app", Project: in("project"), Config: true, Program: true, Path: true, Home: in("home"),
		LookupEnv: func(key string) (string, bool) { value, ok := variables[key]; return value, ok },
	}
	if places.Variable() != "MY_APP_PLUGIN_PATH" {
		t.Errorf("the variable is %s", places.Variable())
	}
	user, err := places.UserDir()
	if err != nil || !strings.HasPrefix(user, in("home")) || !strings.HasSuffix(user, filepath.Join("my-app", "plugins")) {
		t.Errorf("the user's is %s, %v", user, err)
	}
	var order []discovery.Origin
	for _, dir := range places.Dirs() {
		if len(order) == 0 || order[len(order)-1] != dir.Origin {
			order = append(order, dir.Origin)
		}
		if dir.Origin == discovery.OriginSystem && !filepath.IsAbs(dir.Path) {
			t.Errorf("relative: %+v", dir)
		}
		if dir.Required != (dir.Origin == discovery.OriginEnvironment) {
			t.Errorf("required or not: %+v", dir)
		}
	}
	want := []discovery.Origin{discovery.OriginEnvironment, discovery.OriginProject, discovery.OriginUser, discovery.OriginProgram, discovery.OriginSystem, discovery.OriginPath}
	order = slices.DeleteFunc(order, func(o discovery.Origin) bool { return o == "" })
	if !slices.Equal(order, want) && !slices.Equal(order, slices.Delete(slices.Clone(want), 4, 5)) { // no ProgramFiles set
		t.Errorf("the order is %v", order)
	}
	// Empty elements stand for the current directory and are left out; relative ones
	// are reported.
	places.Path, places.Program = false, false
	found, err := (discovery.Search{Naming: discovery.Naming{App: "my-app"}, Dirs: places.Dirs()}).Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, problem := range found.Problems {
		problems = append(problems, fmt.Sprint(strings.TrimPrefix(problem.Path, root), " ", problem.Reason))
	}
	sep := string(filepath.Separator)
	if got := list(problems...); got != list(sep+"first missing", sep+"second missing", "relative "+string(discovery.ReasonRelative)) {
		t.Errorf("problems %q", problems)
	}
}

func TestConfigDirIsInTheSystemsDirectoryForSettings(t *testing.T) {
	config, err := os.UserConfigDir()
	if err != nil {
		t.Skip("needs: a directory for settings: ", err)
	}
	places := discovery.Places{App: "greet", Config: true}
	want := filepath.Join(config, "greet", "plugins")
	if got, err := places.ConfigDir(); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	t.Setenv("XDG_CONFIG_HOME", filepath.Join("a", "relative", "path")) // does not count
	if got, err := places.ConfigDir(); err != nil || !filepath.IsAbs(got) {
		t.Errorf("got %s, %v", got, err)
	}
	count := 0
	for _, dir := range places.Dirs() {
		if got, err := places.ConfigDir(); err == nil && dir == (discovery.Dir{Path: got, Origin: discovery.OriginUser}) {
			count++
		}
	}
	if count != 1 { // on macOS it is the user's directory
		t.Errorf("it is %d times among the directories", count)
	}
}

// programDirs are the directories beside this program.
func programDirs() string {
	var paths []string
	for _, dir := range (discovery.Places{App: "greet", Program: true}).Dirs() {
		if dir.Origin == discovery.OriginProgram {
			paths = append(paths, dir.Path)
		}
	}
	return strings.Join(paths, "\n")
}

// foundBeside lists the plugins and the problems beside this program.
func foundBeside() string {
	search := discovery.Search{Naming: discovery.Naming{App: "greet"}}
	for _, dir := range (discovery.Places{App: "greet", Program: true}).Dirs() {
		if dir.Origin == discovery.OriginProgram {
			search.Dirs = append(search.Dirs, dir)
		}
	}
	found, err := search.Find(context.Background())
	if err != nil {
		return err.Error()
	}
	var list strings.Builder
	for _, plugin := range found.Plugins {
		fmt.Fprintln(&list, plugin.Path)
	}
	for _, problem := range found.Problems {
		fmt.Fprintln(&list, problem.Path, problem.Reason)
	}
	return list.String()
}

// An application in a directory of its own is linked from a directory of commands.
func TestProgramIsSearchedBesideItsFileAndNotBesideItsLink(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	program := testkit.Copy(t, filepath.Join(root, "app"), "greet-plugin-places")
	link := filepath.Join(root, filepath.Base(program))
	if err := os.Symlink(program, link); err != nil {
		t.Skip("needs: symbolic links: ", err)
	}
	want := filepath.Join(root, "app") + "\n" + filepath.Join(root, "app", "plugins")
	for _, path := range []string{program, link} {
		out, err := exec.CommandContext(testkit.Within(t), path).Output()
		if err != nil || string(out) != want {
			t.Errorf("%s searches %q, %v, want %q", path, out, err, want)
		}
	}
}

func TestProgramIsFoundThroughItsOwnPlaces(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	program := testkit.Copy(t, root, "greet-plugin-finder")
	shipped := testkit.Put(t, filepath.Join(root, "plugins"), "greet-plugin-loud", "")
	cmd := exec.CommandContext(testkit.Within(t), program)
	out, err := cmd.Output()
	if want := program + "\n" + shipped + "\n"; err != nil || string(out) != want {
		t.Errorf("found %q, %v, want %q", out, err, want)
	}
	if runtime.GOOS == "windows" {
		return // modes say nothing there
	}
	if err := os.Chmod(root, 0o777); err != nil {
		t.Fatal(err)
	}
	out, err = exec.CommandContext(testkit.Within(t), program).Output()
	if want := root + " world-writable\n" + filepath.Dir(shipped) + " world-writable\n"; err != nil || string(out) != want {
		t.Errorf("in a directory of everybody's: found %q, %v, want %q", out, err, want)
	}
}

func TestPathIsOnlySearchedIfAskedFor(t *testing.T) {
	places := discovery.Places{App: "greet", LookupEnv: func(key string) (string, bool) { return "/somewhere", key == "PATH" }}
	for _, dir := range places.Dirs() {
		if dir.Origin == discovery.OriginPath || dir.Origin == discovery.OriginProject || dir.Origin == discovery.OriginProgram {
			t.Errorf("got %+v", dir)
		}
	}
}
