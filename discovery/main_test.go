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
	"time"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/semver"
)

// patience bounds what must not hang.
const patience = 20 * time.Second

const lockVariable = "DISCOVERY_TEST_LOCK"

const cookieKey = "DISCOVERY_TEST_COOKIE"

// The test binary is its own plugin: under a name greet-plugin-<role> it behaves
// as the role when it is asked what it is.
var roles = map[string]func(){
	"good": func() {
		fmt.Println("noise")
		fmt.Println(`{"describe": 1, "name": "greeter", "version": "1.4.0", "future": [1], "protocols": [` +
			`{"version": 5, "transports": ["grpc", "netrpc"], "services": ["greeter"]}, {"version": 4, "transports": ["netrpc"]}],` +
			`"build": {"go": "go1.25", "revision": "abc", "modified": true}}`)
		fmt.Println("more noise")
	},
	"agrees": func() {
		fmt.Println(`{"describe": 1, "name": "agrees", "version": "1.4.0", "protocols": [{"version": 5, "transports": ["grpc"]}]}`)
	},
	// As core/plugin answers for a plugin that says nothing itself.
	"unset": func() {
		fmt.Println(`{"describe": 1, "name": "main", "protocols": [], "build": {"path": "example.com/plugins/main"}}`)
	},
	"rewrites": func() {
		data, err := os.ReadFile(os.Args[0])
		if err == nil {
			err = os.Remove(os.Args[0])
		}
		if err == nil {
			err = os.WriteFile(os.Args[0], append(data, "more"...), 0o755)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		fmt.Println(`{"describe": 1, "name": "rewrites", "protocols": []}`)
	},
	"silent": func() {},
	"hang":   func() { fmt.Fprintln(os.Stderr, "thinking"); time.Sleep(time.Hour) },
	"flood": func() {
		for {
			fmt.Println(strings.Repeat("x", 1000))
		}
	},
	"stderrflood": func() {
		for range 10_000 {
			fmt.Fprintln(os.Stderr, strings.Repeat("x", 1000))
		}
		fmt.Println(`{"describe": 1, "protocols": []}`)
	},
	"exit":     func() { fmt.Fprintln(os.Stderr, "one\nnot meant to be run by hand"); os.Exit(3) },
	"nonsense": func() { fmt.Println("hello\n{\n\"describe\": 1,\n\"protocols\": hello}") },
	"control":  func() { fmt.Println(`{"describe": 1, "name": "\u001b[2J"}`) },
	"version":  func() { fmt.Println(`{"describe": 1, "version": "new"}`) },
	"later":    func() { fmt.Println(`{"describe": 2}`) },
	"logs": func() {
		fmt.Println(`{"level": "INFO", "msg": "starting", "time": {}}`)
		fmt.Println("{not JSON")
		fmt.Println(`{"describe": 1, "name": "logger"}`)
		fmt.Println(`{"describe": 1, "name": "another"}`)
	},
	"onlylogs": func() { fmt.Print("{\"level\": \"INFO\"}\n{\"describe\":") },
	"deep":     func() { fmt.Print(strings.Repeat("{\"a\":\n", 8000)) },
	"number":   func() { fmt.Println(`{"describe": 1, "protocols": [{"version": -1}]}`) },
	"cut":      func() { fmt.Print("{\"describe\": 1,\n") },
	"utf8":     func() { fmt.Println("{\"describe\": 1, \"name\": \"\xff\"}") },
	"cookie": func() {
		_, set := os.LookupEnv(cookieKey)
		fmt.Printf(`{"describe": 1, "name": "cookie %t, args %s"}`, set, strings.Join(os.Args[1:], ","))
	},
	// A child of the plugin has none of its output, and stays. It locks the file
	// that the variable names.
	"orphan": func() {
		out, err := exec.Command("/bin/sh", "-c", `exec 9>"$`+lockVariable+`"; flock 9; sleep 3600 >/dev/null 2>&1 & echo done`).Output()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		fmt.Printf("{\"describe\": 1, \"name\": %q}", strings.TrimSpace(string(out)))
	},
	// A child of the plugin has its output, and stays.
	"child": func() {
		cmd := exec.Command(os.Args[0], "stay")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		fmt.Println(`{"describe": 1, "name": "parent"}`)
	},
}

func TestMain(m *testing.M) {
	base := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	if role, ok := strings.CutPrefix(base, "greet-plugin-"); ok {
		if slices.Equal(os.Args[1:], []string{"stay"}) {
			time.Sleep(time.Hour)
		}
		role, _, _ = strings.Cut(role, "_")
		role, _, _ = strings.Cut(role, "-")
		roles[role]()
		os.Exit(0)
	}
	if dir := os.Getenv(installVariable); dir != "" {
		installHalf(dir)
	}
	// Processes of the race detector's take a second to end otherwise.
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	os.Exit(m.Run())
}

// within returns a context that ends with the patience.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// place puts this binary into a directory under the name of a role's plugin.
func place(t testing.TB, dir, name string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if os.Link(self, path) == nil || os.Symlink(self, path) == nil {
		return path
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// put writes an executable file that is never run.
func put(t testing.TB, dir, name, content string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func version(t testing.TB, text string) semver.Version {
	t.Helper()
	v, err := semver.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func constraint(t testing.TB, text string) semver.Constraint {
	t.Helper()
	c, err := semver.ParseConstraint(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// find searches directories of the greet application.
func find(t testing.TB, dirs ...string) *discovery.Found {
	t.Helper()
	search := discovery.Search{Naming: discovery.Naming{App: "greet"}}
	for _, dir := range dirs {
		search.Dirs = append(search.Dirs, discovery.Dir{Path: dir, Origin: discovery.OriginUser})
	}
	found, err := search.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range found.Problems {
		t.Log(problem)
	}
	return found
}
