package discovery_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
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
		App: "my-app", Project: in("project"), Path: true, Home: in("home"),
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
	want := []discovery.Origin{discovery.OriginEnvironment, discovery.OriginProject, discovery.OriginUser, discovery.OriginSystem, discovery.OriginPath}
	order = slices.DeleteFunc(order, func(o discovery.Origin) bool { return o == "" })
	if !slices.Equal(order, want) && !slices.Equal(order, slices.Delete(slices.Clone(want), 3, 4)) { // no ProgramFiles set
		t.Errorf("the order is %v", order)
	}
	// Empty elements stand for the current directory and are left out; relative ones
	// are reported.
	places.Path = false
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

func TestPathIsOnlySearchedIfAskedFor(t *testing.T) {
	places := discovery.Places{App: "greet", LookupEnv: func(key string) (string, bool) { return "/somewhere", key == "PATH" }}
	for _, dir := range places.Dirs() {
		if dir.Origin == discovery.OriginPath || dir.Origin == discovery.OriginProject {
			t.Errorf("got %+v", dir)
		}
	}
}
