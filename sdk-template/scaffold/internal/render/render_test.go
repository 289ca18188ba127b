package render

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/names"
)

const cookie = "00000000000000000000000000000000000000000000000000000000000000aa"

func source() Source {
	return Source{
		Module: "example.com/jack/sdk-template", Version: "v1.0.0", Requires: "v1.0.0",
		Files: Tree{
			"go.mod": []byte("module example.com/jack/sdk-template\n\ngo 1.25.0\n\nrequire (\n\texample.com/jack/core v0.0.0\n\texample.com/other v1.2.3\n)\n\n" +
				"replace example.com/jack/core => ../core\n"),
			"handshake.go":                     []byte("package notely\n\nconst cookieValue = \"" + strings.Repeat("0", 64) + "\"\n"),
			"note_store.go":                    []byte("package notely\n\ntype (\n\tNoteStore struct{}\n\tItem      struct{}\n)\n"),
			"plugins/python/__main__.py":       []byte("COOKIE = \"" + strings.Repeat("0", 64) + "\"\n"),
			"plugins/python/notely.binpb":      []byte("binary"),
			"proto/notely/v1/note_store.pb.go": []byte("generated"),
			"docs/notely.png":                  []byte("notely\x00"),
			"LICENSE":                          []byte("of the template"),
			"README.md":                        []byte("notely: see example.com/jack/sdk-template/scaffold\n"),
		},
	}
}

func record() Record {
	return Record{
		Template: "example.com/jack/sdk-template", Version: "v1.0.0", Cookie: cookie,
		Answers: names.Answers{Module: "example.com/acme/sdk", App: "acme", Service: "Kv"},
	}
}

func TestRenderMakesTheFilesOfARepository(t *testing.T) {
	tree, err := Render(source(), record())
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]string{
		"go.mod":                     "module example.com/acme/sdk\n\ngo 1.25.0\n\nrequire (\n\texample.com/jack/core v1.0.0\n\texample.com/other v1.2.3\n)\n",
		"handshake.go":               "package acme\n\nconst cookieValue = \"" + cookie + "\"\n",
		"kv.go":                      "package acme\n\ntype (\n\tKv   struct{}\n\tItem struct{}\n)\n",
		"plugins/python/__main__.py": "COOKIE = \"" + cookie + "\"\n",
		"docs/acme.png":              "notely\x00",
		"README.md":                  "acme: see example.com/jack/sdk-template/scaffold\n",
		"LICENSE":                    string(licenseNote("example.com/jack/sdk-template")),
		RecordFile:                   string(record().Marshal()),
	} {
		if string(tree[p]) != want {
			t.Errorf("%s is\n%s\nwant\n%s", p, tree[p], want)
		}
		delete(tree, p)
	}
	if len(tree) > 0 {
		t.Errorf("there is more: %v", tree.Paths())
	}
	if sets := Sets(source(), record()); len(sets) != 1 || sets[0] != "plugins/python/acme.binpb" {
		t.Errorf("the descriptor sets are %v", sets)
	}
}

func TestRenderRefusesUnworkableNames(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Source, *Record)
		want   string
	}{
		{"a word of the template", func(_ *Source, r *Record) { r.Answers.Service = "Item" }, "a word that the template uses itself"},
		{"a file for one platform", func(_ *Source, r *Record) { r.Answers.Service = "KvWindows" }, "does not build that file on each platform"},
		{"a file turned into a test", func(_ *Source, r *Record) { r.Answers.Service = "KvTest" }, "does not build that file on each platform"},
		{"two files of one name", func(s *Source, _ *Record) { s.Files["kv.go"] = []byte("package notely\n") }, "two files of the template become kv.go"},
		{"no cookie", func(s *Source, _ *Record) { s.Files["handshake.go"] = []byte("package notely\n") }, "no cookieValue"},
		{"no go.mod", func(s *Source, _ *Record) { delete(s.Files, "go.mod") }, "no module path"},
		{"no version", func(s *Source, _ *Record) { s.Requires = "" }, ErrUnreleased.Error()},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, r := source(), record()
			test.change(&s, &r)
			err := Check(s, r.Answers)
			if err == nil {
				_, err = Render(s, r)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestRecordIsCheckedWhenReadBack(t *testing.T) {
	dir := t.TempDir()
	want := record()
	if err := (Tree{RecordFile: want.Marshal()}).Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := ReadRecord(dir)
	got.Comment = ""
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for change, with := range map[string]string{
		`"acme"`:               `"../../etc"`,
		`"Kv"`:                 `"K v"`,
		"example.com/acme/sdk": "no path",
		"example.com/jack/":    "-flag ",
		cookie:                 `\" + evil + \"`,
		`"v1.0.0"`:             `""`,
		"{":                    "[",
	} {
		if _, err := ParseRecord([]byte(strings.ReplaceAll(string(want.Marshal()), change, with))); err == nil {
			t.Errorf("%s in place of %s is accepted", with, change)
		}
	}
	if _, err := ReadRecord(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a record: %v", err)
	}
}

func TestRecordFollowsTheModuleOfGoMod(t *testing.T) {
	moved, err := record().Moved([]byte("module example.com/acme/sdk/v2\n"))
	if err != nil || moved.Answers.Module != "example.com/acme/sdk/v2" {
		t.Errorf("%+v, %v", moved, err)
	}
	for _, mod := range []string{"", "go 1.25.0\n", "module sdk\n"} {
		if moved, err := record().Moved([]byte(mod)); err == nil {
			t.Errorf("%q: %+v", mod, moved)
		}
	}
}

func TestReadFolderFollowsGit(t *testing.T) {
	if _, err := ReadModule(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing folder: %v", err)
	}
	dir := t.TempDir()
	files := Tree{"go.mod": nil, "a/b.txt": nil, "nested/go.mod": nil, "nested/x.go": nil}
	if err := files.Write(dir); err != nil {
		t.Fatal(err)
	}
	tree, err := ReadModule(dir)
	if err != nil || strings.Join(tree.Paths(), " ") != "a/b.txt go.mod" {
		t.Errorf("the files are %v, %v", tree.Paths(), err)
	}
	if err := os.Symlink("go.mod", filepath.Join(dir, "link")); err != nil {
		t.Skip("needs: the right to make symbolic links")
	}
	if _, err := ReadModule(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("with a link: %v", err)
	}
}

func TestMergeModKeepsTheOwnersLines(t *testing.T) {
	mod := func(lines string) []byte { return []byte("module example.com/m\n\n" + lines) }
	for _, test := range []struct{ name, base, ours, theirs, want string }{
		{
			"the higher version",
			"go 1.25.0\n\nrequire example.com/x v1.0.0\n", "go 1.25.0\n\nrequire example.com/x v1.0.1\n", "go 1.26.0\n\nrequire example.com/x v1.0.2\n",
			"go 1.26.0\n\nrequire example.com/x v1.0.2\n",
		},
		{
			"the owner's higher versions",
			"go 1.25.0\n\nrequire example.com/x v1.0.0\n", "go 1.27.0\n\nrequire example.com/x v1.9.0\n", "go 1.26.0\n\nrequire example.com/x v1.1.0\n",
			"go 1.27.0\n\nrequire example.com/x v1.9.0\n",
		},
		{
			"additions of both, and other lines",
			"go 1.25.0\n", "go 1.25.0\n\nrequire example.com/a v1.0.0\n\nexclude example.com/e v1.0.0\n", "go 1.25.0\n\nrequire example.com/b v1.0.0 // indirect\n",
			"go 1.25.0\n\nrequire example.com/a v1.0.0\n\nrequire example.com/b v1.0.0 // indirect\n\nexclude example.com/e v1.0.0\n",
		},
		{
			"tools",
			"go 1.25.0\n\ntool example.com/old\n", "go 1.25.0\n\ntool (\n\texample.com/mine\n\texample.com/old\n)\n", "go 1.25.0\n\ntool example.com/new\n",
			"go 1.25.0\n\ntool (\n\texample.com/mine\n\texample.com/new\n)\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := MergeMod(mod(test.base), mod(test.ours), mod(test.theirs))
			if err != nil || string(got) != string(mod(test.want)) {
				t.Errorf("got %v\n%s\nwant\n%s", err, got, mod(test.want))
			}
		})
	}
}
