package render

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/modfile"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/names"
)

var (
	cookiePattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
	cookieLine    = regexp.MustCompile(`cookieValue\s*=\s*"([0-9a-f]{64})"`)
)

// Source is a template to make repositories from.
type Source struct {
	Files   Tree
	Module  string // the template's path
	Version string // Development if it is a folder
	// Requires is the version to require for the modules in folders beside the template. If
	// it is empty, such a module is an error.
	Requires string
}

// Render returns the files of a repository, except generated ones. The result depends only
// on the arguments; updates rely on that.
func Render(source Source, record Record) (Tree, error) {
	old, err := oldNames(source)
	if err != nil {
		return nil, err
	}
	cookie := cookieLine.FindSubmatch(source.Files["handshake.go"])
	if cookie == nil {
		return nil, errors.New("the template has no cookieValue in handshake.go: this is not a template of plugin SDKs")
	}
	renamer := names.Renamer(old, record.Answers, []string{source.Module}, []string{source.Module + "/scaffold"})
	tree := Tree{}
	for p, data := range source.Files {
		if IsGenerated(p) || p == RecordFile {
			continue
		}
		name := renamer.Replace(p)
		if _, twice := tree[name]; twice {
			return nil, fmt.Errorf("two files of the template become %s: choose another name for the app or the service", name)
		}
		if isText(data) {
			data = bytes.ReplaceAll([]byte(renamer.Replace(string(data))), cookie[1], []byte(record.Cookie))
		}
		if path.Ext(p) == ".go" {
			if data, err = format.Source(data); err != nil { // a name's length changes the alignment
				return nil, fmt.Errorf("%s: %w: choose another name for the app or the service", name, err)
			}
		}
		tree[name] = data
	}
	tree["LICENSE"] = licenseNote(source.Module)
	tree[RecordFile] = record.Marshal()
	tree["go.mod"], err = RequireReleases(tree["go.mod"], source.Requires)
	return tree, err
}

// oldNames returns the names in the template's files. The path in its go.mod differs from
// the template's path if gonew or a person changed it.
func oldNames(source Source) (names.Answers, error) {
	module := modfile.ModulePath(source.Files["go.mod"])
	if module == "" {
		return names.Answers{}, errors.New("go.mod: no module path: this is not a template of plugin SDKs")
	}
	return names.Template(module), nil
}

// IsGenerated reports whether generators write the file anew each time.
func IsGenerated(p string) bool {
	return strings.HasSuffix(p, ".pb.go") || path.Ext(p) == ".binpb"
}

// Sets returns the paths of the descriptor sets in a repository.
func Sets(source Source, record Record) []string {
	renamer := names.Renamer(names.Template(source.Module), record.Answers, nil, nil)
	var sets []string
	for _, p := range source.Files.Paths() {
		if path.Ext(p) == ".binpb" {
			sets = append(sets, renamer.Replace(p))
		}
	}
	return sets
}

func isText(data []byte) bool {
	return utf8.Valid(data) && !bytes.ContainsRune(data, 0)
}

func licenseNote(template string) []byte {
	return fmt.Appendf(nil, `Nobody has chosen a licence for this repository yet: put its text in place of
this note. Without a licence, nobody else may use or copy the code.

Parts of the code come from %s,
which is under the Apache License, Version 2.0. A copy of that licence is at
https://www.apache.org/licenses/LICENSE-2.0
`, template)
}
