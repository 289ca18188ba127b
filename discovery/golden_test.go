package discovery_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/semver"
)

var update = flag.Bool("update", false, "write the expected results anew")

// goldenCase is testdata/<case>/case.json: a tree (neither modes nor links survive
// version control everywhere), the search in it, and the requests after it. The
// expected result is beside it.
type goldenCase struct {
	Says          string   // the subject of the case
	App           string   // "greet" unless it says another
	Kinds         []string //
	Glob          string   //
	Platform      string   // linux_amd64 unless it says another
	AllowWritable bool
	// On is "os" for a tree beyond an fs.FS, "fs" for a tree beyond some systems.
	// Empty: both, with the same result.
	On string
	// Tree are lines of a mode and a path, as ls -l shows them:
	//	-rwxr-xr-x user/greet-plugin-loud
	//	lrwxrwxrwx user/link -> target
	// Parents outside the list are made.
	Tree      []string
	Dirs      []discovery.Dir
	Overrides []discovery.Override
	Requests  []goldenRequest
}

type goldenRequest struct {
	Kind, Name, Version string
	Prereleases         bool
}

// goldenResult is testdata/<case>/want.json. Paths are relative to the tree.
type goldenResult struct {
	Plugins  []discovery.Plugin   `json:"plugins"`
	Problems []*discovery.Problem `json:"problems"`
	// Resolved has a path for each request, or the error.
	Resolved []string `json:"resolved,omitempty"`
}

func TestGoldenTrees(t *testing.T) {
	files, err := filepath.Glob("testdata/*/case.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := goldenCase{App: "greet", Platform: "linux_amd64"}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		want := filepath.Join(filepath.Dir(file), "want.json")
		name := filepath.Base(filepath.Dir(file))
		if c.On != "fs" {
			t.Run(name+"/os", func(t *testing.T) { c.onDisk(t, want) })
		}
		if c.On != "os" {
			t.Run(name+"/fs", func(t *testing.T) { c.inMemory(t, want) })
		}
	}
}

// node is one line of a tree.
type node struct {
	mode         fs.FileMode
	path, target string
}

func (c goldenCase) nodes(t *testing.T) []node {
	t.Helper()
	var nodes []node
	for _, line := range c.Tree {
		modes, rest, _ := strings.Cut(line, " ")
		if len(modes) != 10 || rest == "" {
			t.Fatalf("no line of a tree: %q", line)
		}
		var n node
		n.path, n.target, _ = strings.Cut(rest, " -> ")
		for i, c := range modes[1:] {
			if c != '-' {
				n.mode |= 1 << (8 - i)
			}
			if c == 't' {
				n.mode |= fs.ModeSticky
			}
		}
		switch modes[0] {
		case 'd':
			n.mode |= fs.ModeDir
		case 'l':
			n.mode |= fs.ModeSymlink
		}
		nodes = append(nodes, n)
	}
	return nodes
}

func (c goldenCase) onDisk(t *testing.T, want string) {
	if runtime.GOOS == "windows" {
		t.Skip("the trees have modes and links")
	}
	nodes := c.nodes(t)
	if slices.ContainsFunc(nodes, func(n node) bool { return n.mode.Perm() == 0 }) {
		testkit.AsAnotherUser(t) // than root, as root reads everything
	}
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		full := filepath.Join(root, n.path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		switch {
		case n.mode.IsDir():
			err = os.MkdirAll(full, 0o755)
		case n.mode&fs.ModeSymlink != 0:
			err = os.Symlink(n.target, full)
		default:
			err = os.WriteFile(full, []byte(n.path), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range nodes {
		if n.mode&fs.ModeSymlink != 0 {
			continue
		}
		full := filepath.Join(root, n.path)
		if err := os.Chmod(full, n.mode.Perm()|n.mode&fs.ModeSticky); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(full, 0o700) })
	}
	search := c.search(t)
	for i, dir := range search.Dirs {
		if !strings.HasPrefix(dir.Path, "./") { // it stays relative
			search.Dirs[i].Path = filepath.Join(root, dir.Path)
		}
	}
	for i, override := range search.Overrides {
		search.Overrides[i].Path = filepath.Join(root, override.Path)
	}
	c.compare(t, search, root+"/", want)
}

// denied is an unreadable directory.
type denied struct{ fs.FS }

func (d denied) ReadDir(name string) ([]fs.DirEntry, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

func (c goldenCase) inMemory(t *testing.T, want string) {
	if len(c.Overrides) > 0 {
		t.Skip("overrides are on the disk")
	}
	search := c.search(t)
	nodes := c.nodes(t)
	for i, dir := range search.Dirs {
		tree := fstest.MapFS{}
		var fsys fs.FS = tree
		for _, n := range nodes {
			rest, inside := strings.CutPrefix(n.path, dir.Path+"/")
			if inside {
				tree[rest] = &fstest.MapFile{Mode: n.mode, Data: []byte(n.path + n.target)}
				if n.target != "" {
					tree[rest].Data = []byte(n.target)
				}
			}
			if n.path == dir.Path {
				tree["."] = &fstest.MapFile{Mode: n.mode}
				if n.mode.Perm() == 0 {
					fsys = denied{tree}
				}
			}
		}
		search.Dirs[i].FS = fsys
	}
	c.compare(t, search, "", want)
}

func (c goldenCase) search(t *testing.T) discovery.Search {
	t.Helper()
	platform, ok := discovery.ParsePlatform(c.Platform)
	if !ok {
		t.Fatalf("platform %q", c.Platform)
	}
	return discovery.Search{
		Naming:        discovery.Naming{App: c.App, Kinds: c.Kinds, Glob: c.Glob},
		Platform:      platform,
		AllowWritable: c.AllowWritable,
		Dirs:          append([]discovery.Dir(nil), c.Dirs...),
		Overrides:     append([]discovery.Override(nil), c.Overrides...),
	}
}

func (c goldenCase) compare(t *testing.T, search discovery.Search, root, file string) {
	found, err := search.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	result := goldenResult{Plugins: []discovery.Plugin{}, Problems: []*discovery.Problem{}}
	for _, request := range c.Requests {
		result.Resolved = append(result.Resolved, strings.ReplaceAll(request.resolve(t, found), root, ""))
	}
	for _, plugin := range found.Plugins {
		plugin.Path = strings.TrimPrefix(plugin.Path, root)
		result.Plugins = append(result.Plugins, plugin)
	}
	for _, problem := range found.Problems {
		if text := problem.Error(); !strings.HasPrefix(text, strings.ReplaceAll(problem.Path, "\n", `\n`)+": ") {
			t.Errorf("a problem reads %q", text)
		}
		relative := *problem
		relative.Path, relative.By = strings.TrimPrefix(problem.Path, root), strings.TrimPrefix(problem.By, root)
		result.Problems = append(result.Problems, &relative)
	}
	got, err := json.MarshalIndent(result, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n"))) {
		t.Errorf("%s\ngot:\n%s\nwant (%s; -update writes it anew):\n%s", c.Says, got, file, want)
	}
}

func (r goldenRequest) resolve(t *testing.T, found *discovery.Found) string {
	t.Helper()
	constraint, err := semver.ParseConstraint(r.Version)
	if err != nil {
		t.Fatal(err)
	}
	if r.Prereleases {
		constraint = constraint.WithPrereleases()
	}
	resolved, err := new(discovery.Resolver).Resolve(t.Context(), found,
		discovery.Request{Kind: r.Kind, Name: r.Name, Version: constraint})
	if err != nil {
		return fmt.Sprint("error: ", err)
	}
	return resolved.Path
}
