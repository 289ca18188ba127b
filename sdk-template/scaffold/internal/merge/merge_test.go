package merge

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/tool"
)

func TestMain(m *testing.M) {
	for name, value := range map[string]string{
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_SYSTEM": os.DevNull,
		"GIT_AUTHOR_NAME": "Test", "GIT_AUTHOR_EMAIL": "test@example.com",
		"GIT_COMMITTER_NAME": "Test", "GIT_COMMITTER_EMAIL": "test@example.com",
	} {
		if os.Setenv(name, value) != nil {
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// tree reads files in txtar's form.
func tree(text string) render.Tree {
	files := render.Tree{}
	for _, file := range txtar.Parse([]byte(text)).Files {
		files[file.Name] = file.Data
	}
	return files
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// repository makes a repository with the files committed, and with files of the owner.
func repository(t *testing.T, files render.Tree) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repository")
	if err := files.Write(dir); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "init", "--quiet")
	git(t, dir, "add", "--all")
	git(t, dir, "commit", "--quiet", "--message", "begin")
	return dir
}

// start merges base and next into the repository in dir.
func start(t *testing.T, dir string, base, next render.Tree) *Merge {
	t.Helper()
	repo, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Start(t.Context(), repo, base, next, "the template v2")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// apply applies and closes, and returns the worktree's files.
func apply(t *testing.T, m *Merge) render.Tree {
	t.Helper()
	if err := m.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	return closed(t, m)
}

// closed closes the merge, checks that nothing of it remains, and returns the worktree's
// files.
func closed(t *testing.T, m *Merge) render.Tree {
	t.Helper()
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	beside, err := os.ReadDir(filepath.Dir(m.repo.top))
	if err != nil || len(beside) != 1 {
		t.Errorf("files remain beside the repository: %v, %v", beside, err)
	}
	if list := git(t, m.repo.top, "worktree", "list"); strings.Count(list, "\n") != 1 {
		t.Errorf("worktrees are left:\n%s", list)
	}
	files, err := render.ReadModule(m.repo.top)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

const (
	long = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n"
	base = "-- a.go --\n" + long + "-- b.go --\nb\nb2\nb3\nb4\n-- dropped.txt --\nold\n-- c.go --\nc\nc2\nc3\nc4\n" +
		"-- .jackfield.json --\n1\n-- go.mod --\nmodule example.com/m\n\ngo 1.25.0\n\nrequire example.com/x v1.1.0\n" +
		"-- plugins/python/a.binpb --\n-- proto/p.proto --\np\n"
	next = "-- a.go --\n" + long + "eleven\n-- b.go --\nb\nb2\nb3\nb4\nmore\n-- new.txt --\nnew\n-- renamed.go --\nc\nc2\nc3\nc4\n" +
		"-- .jackfield.json --\n2\n-- go.mod --\nmodule example.com/m\n\ngo 1.25.0\n\nrequire (\n\texample.com/x v1.2.0\n\texample.com/new v1.0.0\n)\n" +
		"-- plugins/python/a.binpb --\n-- proto/p.proto --\np\n"
)

func TestMergeJoinsTheChangesOfBothSides(t *testing.T) {
	files := tree(base)
	files["own.go"] = []byte("mine\n")
	files["a.go"] = []byte("zero\n" + long)
	files["go.mod"] = []byte("module example.com/m\n\ngo 1.26.0\n\nrequire (\n\texample.com/own v0.3.0\n\texample.com/x v1.3.0\n)\n\nreplace example.com/own => ../own\n")
	dir := repository(t, files)
	m := start(t, dir, tree(base), tree(next))
	if len(m.Conflicts) > 0 {
		t.Fatalf("conflicts: %v", m.Conflicts)
	}
	changed, err := m.Changed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"A  new.txt", "D  dropped.txt", "M  .jackfield.json", "M  a.go", "M  b.go", "M  go.mod", "R  c.go => renamed.go"}
	slices.Sort(changed)
	if !slices.Equal(changed, want) {
		t.Errorf("changed: %q", changed)
	}
	if out := git(t, dir, "status", "--porcelain"); out != "" {
		t.Errorf("the repository changed before Apply:\n%s", out)
	}
	got := apply(t, m)
	for p, content := range map[string]string{
		"a.go":            "zero\n" + long + "eleven\n",
		"own.go":          "mine\n",
		"b.go":            "b\nb2\nb3\nb4\nmore\n",
		"new.txt":         "new\n",
		"renamed.go":      "c\nc2\nc3\nc4\n",
		".jackfield.json": "2\n",
		"go.mod": "module example.com/m\n\ngo 1.26.0\n\nrequire (\n\texample.com/new v1.0.0\n\texample.com/own v0.3.0\n\texample.com/x v1.3.0\n)\n\n" +
			"replace example.com/own => ../own\n",
	} {
		if string(got[p]) != content {
			t.Errorf("%s is\n%s", p, got[p])
		}
	}
	if got["dropped.txt"] != nil || got["c.go"] != nil {
		t.Error("dropped files of the template remain")
	}
	for line := range strings.Lines(git(t, dir, "status", "--porcelain")) {
		if line[1] != ' ' {
			t.Errorf("not staged: %s", line)
		}
	}
	git(t, dir, "reset", "--quiet", "--hard")
	sameFiles(t, dir, files)
}

func sameFiles(t *testing.T, dir string, want render.Tree) {
	t.Helper()
	got, err := render.ReadModule(dir)
	if err != nil {
		t.Fatal(err)
	}
	for p := range got {
		if string(got[p]) != string(want[p]) {
			t.Errorf("%s is %q, and was %q", p, got[p], want[p])
		}
	}
	if len(got) != len(want) {
		t.Errorf("the files are %v, and were %v", got.Paths(), want.Paths())
	}
}

func TestDiffIsAPatchUnderAnyUserConfiguration(t *testing.T) {
	dir := repository(t, tree(base))
	m := start(t, dir, tree(base), tree(next))
	plain, err := m.Diff(t.Context())
	if err != nil || !strings.Contains(plain, "+++ b/new.txt\n") {
		t.Fatalf("%v\n%s", err, plain)
	}
	for name, value := range map[string]string{"color.ui": "always", "diff.noprefix": "true", "diff.external": "false"} {
		if _, err := tool.Git(dir).Run(t.Context(), "config", name, value); err != nil {
			t.Fatal(err)
		}
	}
	if configured, err := m.Diff(t.Context()); err != nil || configured != plain {
		t.Errorf("%v\n%s\nwant\n%s", err, configured, plain)
	}
}

func TestMergeKeepsTheOwnersMovesAndDeletions(t *testing.T) {
	files := tree(base)
	delete(files, "b.go")                   // changed by the template
	delete(files, "c.go")                   // renamed by the template
	delete(files, "plugins/python/a.binpb") // regenerated by the template
	files["moved/a.go"] = files["a.go"]     // changed by the template
	delete(files, "a.go")
	dir := repository(t, files)
	m := start(t, dir, tree(base), tree(next))
	if len(m.Conflicts) > 0 || len(m.Sets) > 0 {
		t.Errorf("conflicts: %v, sets: %v", m.Conflicts, m.Sets)
	}
	got := apply(t, m)
	want := []string{".jackfield.json", "go.mod", "moved/a.go", "new.txt", "proto/p.proto"}
	if !slices.Equal(got.Paths(), want) {
		t.Errorf("the files are %v", got.Paths())
	}
	if string(got["moved/a.go"]) != long+"eleven\n" {
		t.Errorf("moved/a.go is %q", got["moved/a.go"])
	}
}

func TestMergeMovesTheOwnersFileWithARenamedFolder(t *testing.T) {
	before := tree("-- dir/x.go --\n" + long + "-- dir/y.go --\n2" + long)
	after := tree("-- better/x.go --\n" + long + "-- better/y.go --\n2" + long)
	files := tree("-- dir/x.go --\n" + long + "mine\n-- dir/y.go --\n2" + long + "-- dir/own.go --\nmine\n")
	got := apply(t, start(t, repository(t, files), before, after))
	if string(got["better/x.go"]) != long+"mine\n" || got["better/own.go"] == nil || got["dir/x.go"] != nil {
		t.Errorf("the files are %v", got.Paths())
	}
}

func TestConflictLooksAsAfterGitMergeAndCanBeUndone(t *testing.T) {
	files := tree(base)
	files["a.go"] = []byte(long + "mine\n")      // both add a line at the end
	files["dropped.txt"] = []byte("old\nmine\n") // deleted by the template
	files["new.txt"] = []byte("mine\n")          // added by both
	files["go.mod"] = append(files["go.mod"], "\nexclude example.com/x v1.1.5\n"...)
	dir := repository(t, files)
	m := start(t, dir, tree(base), tree(next))
	if want := []string{"a.go", "dropped.txt", "new.txt"}; !slices.Equal(m.Conflicts, want) {
		t.Fatalf("conflicts: %v", m.Conflicts)
	}
	got := apply(t, m)
	if text := string(got["a.go"]); !strings.Contains(text, "<<<<<<< HEAD\nmine\n=======\neleven\n>>>>>>> ") || !strings.Contains(text, "the template v2") {
		t.Errorf("a.go is\n%s", text)
	}
	if !strings.Contains(string(got["go.mod"]), "v1.2.0") || !strings.Contains(string(got["go.mod"]), "exclude") {
		t.Errorf("go.mod is\n%s", got["go.mod"])
	}
	status := git(t, dir, "status", "--porcelain")
	for _, want := range []string{"UU a.go\n", "UD dropped.txt\n", "AA new.txt\n", "M  b.go\n", "R  c.go -> renamed.go\n"} {
		if !strings.Contains(status, want) {
			t.Errorf("git status does not say %q:\n%s", want, status)
		}
	}
	if base := git(t, dir, "show", ":1:a.go"); base != long {
		t.Errorf("the ancestor of a.go is %q", base)
	}
	git(t, dir, "-c", "mergetool.ours.cmd=cp \"$LOCAL\" \"$MERGED\"", "-c", "mergetool.ours.trustExitCode=true",
		"mergetool", "--tool=ours", "--no-prompt", "a.go")
	if data, _ := os.ReadFile(filepath.Join(dir, "a.go")); string(data) != long+"mine\n" {
		t.Errorf("after mergetool, a.go is %q", data)
	}
	git(t, dir, "reset", "--quiet", "--hard")
	git(t, dir, "clean", "--quiet", "-f", "a.go.orig")
	sameFiles(t, dir, files)
}

func TestMergeChangesOnlyAFolderBelowTheTop(t *testing.T) {
	files := render.Tree{"other.txt": []byte("other\n"), "a.go": []byte("another\n")}
	before, after := tree(base), tree(next)
	delete(before, "go.mod") // ReadModule would leave the folder out
	delete(after, "go.mod")
	for p, data := range before {
		files["sdk/"+p] = data
	}
	dir := repository(t, files)
	m := start(t, filepath.Join(dir, "sdk"), before, after)
	if len(m.Conflicts) > 0 {
		t.Fatalf("conflicts: %v", m.Conflicts)
	}
	got := apply(t, m)
	if string(got["sdk/a.go"]) != long+"eleven\n" || string(got["a.go"]) != "another\n" || got["sdk/renamed.go"] == nil || got["new.txt"] != nil {
		t.Errorf("the files are %v", got.Paths())
	}
}

func TestMergeLeavesUncommittedChangesAlone(t *testing.T) {
	if _, err := Open(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "needs a git repository") {
		t.Errorf("outside of git: %v", err)
	}
	empty := t.TempDir()
	git(t, empty, "init", "--quiet")
	if _, err := Open(t.Context(), empty); err == nil || !strings.Contains(err.Error(), "no commit yet") {
		t.Errorf("without a commit: %v", err)
	}
	dir := repository(t, tree(base))
	if err := (render.Tree{"a.go": []byte("changed")}).Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := RequireClean(t.Context(), dir, "no"); err == nil || !strings.Contains(err.Error(), " M a.go") {
		t.Errorf("with a changed file: %v", err)
	}
	git(t, dir, "checkout", "--quiet", "a.go")
}

func TestMergeDoesNotOverwriteUntrackedFiles(t *testing.T) {
	for _, test := range []struct{ name, unknown, ignored string }{
		{"new", "new.txt", ""},
		{"ignored", "new.txt", "new.txt\n"},
		{"renamed", "renamed.go", "renamed.go\n"},
		{"in place of a folder", "folder", "folder\n"},
		{"a folder in place of a file", "new.txt/file", "new.txt\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			files := tree(base)
			files[".gitignore"] = []byte(test.ignored)
			dir := repository(t, files)
			if err := (render.Tree{test.unknown: []byte("precious")}).Write(dir); err != nil {
				t.Fatal(err)
			}
			status := git(t, dir, "status", "--porcelain")
			changed := tree(next)
			changed["folder/file"] = []byte("new")
			m := start(t, dir, tree(base), changed)
			if err := m.Apply(t.Context()); err == nil || !strings.Contains(err.Error(), "unchanged: the untracked "+test.unknown) {
				t.Errorf("got %v", err)
			}
			closed(t, m)
			files[test.unknown] = []byte("precious")
			sameFiles(t, dir, files)
			if now := git(t, dir, "status", "--porcelain"); now != status {
				t.Errorf("the status is\n%s", now)
			}
		})
	}
}

func TestMergeOfTheSameTemplateChangesNothing(t *testing.T) {
	files := tree(base)
	files["a.go"] = []byte("mine\n")
	m := start(t, repository(t, files), tree(base), tree(base))
	changed, err := m.Changed(t.Context())
	if err != nil || len(changed) > 0 || len(m.Conflicts) > 0 {
		t.Errorf("changed: %v, %v", changed, err)
	}
}
