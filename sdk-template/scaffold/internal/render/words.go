package render

import (
	"cmp"
	"fmt"
	"go/build"
	"go/scanner"
	"go/token"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/names"
)

// pythonWord matches a word defined or imported by a Python file.
var pythonWord = regexp.MustCompile(`(?m)^\s*(?:def|class|import|from)\s+([A-Za-z_]\w*)|^\s*([A-Za-z_]\w*)\s*=`)

// Check returns an error if a new name equals a word in the template: the code would change
// its meaning, or not compile.
func Check(source Source, answers names.Answers) error {
	old, err := oldNames(source)
	if err != nil {
		return err
	}
	return checkWords(source.Files, old, answers)
}

func checkWords(files Tree, from, to names.Answers) error {
	renamer := names.Renamer(from, to, nil, nil)
	words := map[string]string{} // word → file
	for _, p := range files.Paths() {
		for _, word := range fileWords(p, files[p]) {
			words[word] = p
		}
		if err := checkFileName(p, renamer.Replace(p)); err != nil {
			return err
		}
	}
	// The error reports the shortest of several such words.
	byLength := slices.SortedFunc(maps.Keys(words), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	for _, word := range byLength {
		renamed := renamer.Replace(word)
		file, taken := words[renamed]
		if taken && word != renamed && renamer.Replace(renamed) == renamed {
			return fmt.Errorf("app %q, service %q: %s would become %s, a word that the template uses itself (%s): choose another name",
				to.App, to.Service, word, renamed, file)
		}
	}
	return nil
}

func fileWords(p string, data []byte) []string {
	switch path.Ext(p) {
	case ".go":
		return goWords(data)
	case ".py":
		var words []string
		for _, match := range pythonWord.FindAllSubmatch(data, -1) {
			words = append(words, string(match[1])+string(match[2]))
		}
		return words
	}
	return nil
}

// goWords returns the identifiers, except those after a dot: they belong to other packages
// or types.
func goWords(data []byte) []string {
	var words []string
	var scan scanner.Scanner
	fileset := token.NewFileSet()
	scan.Init(fileset.AddFile("", fileset.Base(), len(data)), data, func(token.Position, string) {}, 0)
	last := token.EOF
	for {
		_, kind, text := scan.Scan()
		if kind == token.EOF {
			return words
		}
		if kind == token.IDENT && last != token.PERIOD && !slices.Contains(words, text) {
			words = append(words, text)
		}
		last = kind
	}
}

// checkFileName refuses names that turn a Go file into a test or into a file for one
// platform: store_linux.go.
func checkFileName(was, becomes string) error {
	if path.Ext(was) != ".go" || special(was) || !special(becomes) {
		return nil
	}
	return fmt.Errorf("%s would become %s, and Go does not build that file on each platform: choose another name for the app or the service", was, becomes)
}

func special(p string) bool {
	nowhere := build.Context{
		GOOS: "nowhere", GOARCH: "nothing", Compiler: "gc",
		OpenFile: func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("package p\n")), nil },
	}
	match, err := nowhere.MatchFile("", path.Base(p))
	return err != nil || !match || strings.HasSuffix(p, "_test.go")
}
