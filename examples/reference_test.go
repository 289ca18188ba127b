package examples_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/handshake"
)

// docs/errors.md names every exported error of the published modules, and no other.
func TestErrorsPageNamesEveryError(t *testing.T) {
	needRepository(t)
	page := make(map[string]bool)
	for _, match := range errorName.FindAllStringSubmatch(readPage(t, "errors.md"), -1) {
		page[match[1]] = true
	}
	code := make(map[string]bool)
	for _, module := range []string{
		"broker", "core", "discovery", "log-hclog", "tlsutil", "transport-grpc", "transport-netrpc", "yamux",
	} {
		for _, name := range exportedErrors(t, filepath.Join(root, module)) {
			code[name] = true
			if !page[name] {
				t.Errorf("docs/errors.md does not name %s, of module %s", name, module)
			}
		}
	}
	standard := []string{"net.ErrClosed", "os.ErrProcessDone"}
	for name := range page {
		if !code[name] && !strings.HasPrefix(name, "fs.") && !slices.Contains(standard, name) {
			t.Errorf("docs/errors.md names %s, which is not there", name)
		}
	}
}

// errorName is an error in a document, as in `*host.LaunchError` and `core.ErrClosed`.
var errorName = regexp.MustCompile("`\\*?([a-z]+\\.(?:Err\\w+|[A-Z]\\w*Error))`")

// docs/environment.md names every variable of the protocol.
func TestEnvironmentPageNamesEveryVariable(t *testing.T) {
	needRepository(t)
	page := readPage(t, "environment.md")
	for _, name := range handshake.Names() {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/environment.md does not name %s", name)
		}
	}
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// exportedErrors returns the names of exported types with the suffix Error, and of variables with the prefix
// Err, as users write them: host.LaunchError.
func exportedErrors(t *testing.T, module string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(module, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "internal" || entry.Name() == "testdata" || strings.HasSuffix(entry.Name(), "test")) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			if general, ok := declaration.(*ast.GenDecl); ok {
				names = append(names, errorNames(file.Name.Name, general)...)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func errorNames(pkg string, declaration *ast.GenDecl) []string {
	var names []string
	for _, spec := range declaration.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && strings.HasSuffix(spec.Name.Name, "Error") {
				names = append(names, pkg+"."+spec.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if declaration.Tok == token.VAR && strings.HasPrefix(name.Name, "Err") {
					names = append(names, pkg+"."+name.Name)
				}
			}
		}
	}
	return names
}
