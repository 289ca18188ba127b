package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
	"golang.org/x/tools/txtar"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
)

// proxy is a folder that serves the go command as a module proxy.
type proxy string

// TestMain sets up the environment: the go command finds the modules of a file proxy, those
// of the machine's module cache, and others as usual. Downloads go into this run's own
// cache, so its versions never meet those of another run.
func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "scaffold-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	modules = proxy(filepath.Join(dir, "proxy"))
	out, err := exec.CommandContext(context.Background(), "go", "env", "GOMODCACHE", "GOPROXY").Output()
	cache, others, ok := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil || !ok {
		fmt.Fprintln(os.Stderr, "go env:", err)
		return 1
	}
	for name, value := range map[string]string{
		"GOPROXY":    fileURL(string(modules)) + "," + fileURL(filepath.Join(cache, "cache", "download")) + "," + others,
		"GOMODCACHE": filepath.Join(dir, "modules"),
		"GOSUMDB":    "off", // the machine's cache is verified, and the file proxy is ours
		"GOWORK":     "off",
		// With -trimpath the next run reuses this run's cached builds.
		"GOFLAGS":             "-modcacherw -trimpath",
		"GIT_CONFIG_GLOBAL":   os.DevNull,
		"GIT_CONFIG_SYSTEM":   os.DevNull,
		"GIT_AUTHOR_NAME":     "Test",
		"GIT_AUTHOR_EMAIL":    "test@example.com",
		"GIT_COMMITTER_NAME":  "Test",
		"GIT_COMMITTER_EMAIL": "test@example.com",
	} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

func fileURL(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return "file://" + path
}

var (
	modules   proxy
	published bool
)

// publish adds the module in a folder; it requires the same version of the modules beside
// it.
func (p proxy) publish(t *testing.T, dir, version string) {
	t.Helper()
	tree, err := render.ReadFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	p.publishTree(t, tree, version)
}

func (p proxy) publishTree(t *testing.T, tree render.Tree, version string) {
	t.Helper()
	mod, err := render.RequireReleases(tree["go.mod"], version)
	if err != nil {
		t.Fatal(err)
	}
	tree["go.mod"] = mod
	files := t.TempDir()
	if err := tree.Write(files); err != nil {
		t.Fatal(err)
	}
	v := module.Version{Path: modfile.ModulePath(mod), Version: version}
	escaped, err := module.EscapePath(v.Path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := json.Marshal(map[string]string{"Version": version})
	if err != nil {
		t.Fatal(err)
	}
	var archive strings.Builder
	if err := zip.CreateFromDir(&archive, v, files); err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(string(p), filepath.FromSlash(escaped), "@v")
	versions, _ := os.ReadFile(filepath.Join(place, "list"))
	err = render.Tree{
		"list":            append(versions, version+"\n"...),
		version + ".info": info,
		version + ".mod":  mod,
		version + ".zip":  []byte(archive.String()),
	}.Write(place)
	if err != nil {
		t.Fatal(err)
	}
}

// These are the proxy's versions. Only their templates differ.
const (
	older   = "v0.8.0"
	present = "v0.9.0"
)

// withModules ensures that the proxy has all modules of a repository: this repository's
// modules, the template and the scaffolder.
func withModules(t *testing.T) {
	t.Helper()
	if published {
		return
	}
	for _, version := range []string{older, present} {
		for _, dir := range []string{"broker", "core", "discovery", "proto", "tlsutil", "transport-grpc", "yamux", "sdk-template/scaffold"} {
			modules.publish(t, filepath.Join("..", "..", filepath.FromSlash(dir)), version)
		}
	}
	modules.publish(t, "..", present)
	modules.publishTree(t, olderTemplate(t), older)
	published = true
}

// olderTemplate returns an earlier state of the template, without its generated files.
func olderTemplate(t *testing.T) render.Tree {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", "older.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	tree := render.Tree{}
	for _, file := range archive.Files {
		tree[file.Name] = file.Data
	}
	return tree
}
