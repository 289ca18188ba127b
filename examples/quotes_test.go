package examples_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each block of Go code in the documents, and any other quoted block, names its source file,
//
//	<!-- quote examples/basic/host/main.go -->
//
// and must occur there, so that the documents' code compiles and is tested. A
// line "// ..." in a block stands for omitted code. Common indentation of all
// lines does not count.
func TestDocumentsQuoteCompiledCode(t *testing.T) {
	for _, document := range documents(t) {
		for _, block := range blocks(t, document) {
			if block.language != "go" && !strings.HasPrefix(block.note, "quote ") {
				continue
			}
			if err := block.check(); err != nil {
				t.Errorf("%s:%d: %v", document, block.line, err)
			}
		}
	}
}

// root is the repository.
const root = ".."

// needRepository skips the test in a module outside the repository, for example a
// download.
func needRepository(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(root, "go.work")); err != nil {
		t.Skip("needs: the whole repository around the module")
	}
}

// documents returns the repository's documents.
func documents(t *testing.T) []string {
	t.Helper()
	needRepository(t)
	var documents []string
	for _, pattern := range []string{"*.md", "*/*.md", "*/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, found...)
	}
	return documents
}

// block is one block of code in a document.
type block struct {
	line     int    // where it begins
	language string // as the document says
	note     string // the comment in the line before
	code     []string
}

// note is a comment in a document on a separate line.
var note = regexp.MustCompile(`^<!-- (.*) -->$`)

func blocks(t *testing.T, document string) []block {
	t.Helper()
	var blocks []block
	var current *block
	comment := ""
	for i, line := range readLines(t, document) {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case current != nil && line == "```":
			blocks = append(blocks, *current)
			current, comment = nil, ""
		case current != nil:
			current.code = append(current.code, line)
		case fence:
			current = &block{line: i + 1, language: language, note: comment}
		default:
			comment = ""
			if match := note.FindStringSubmatch(line); match != nil {
				comment = match[1]
			}
		}
	}
	if current != nil {
		t.Errorf("%s: the block at line %d has no end", document, current.line)
	}
	return blocks
}

func readLines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return splitLines(string(text))
}

func splitLines(text string) []string {
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
}

// check finds the pieces of the block in its source, in order.
func (b block) check() error {
	file, quoted := strings.CutPrefix(b.note, "quote ")
	if !quoted {
		return errors.New("no line <!-- quote file --> before the code")
	}
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	if err != nil {
		return err
	}
	source := splitLines(string(text))
	for _, piece := range b.pieces() {
		end := find(source, piece)
		if end < 0 {
			return fmt.Errorf("%s lacks, or has in another order:\n%s", file, strings.Join(piece, "\n"))
		}
		source = source[end:]
	}
	return nil
}

// pieces returns the parts of the block between lines "// ...".
func (b block) pieces() [][]string {
	var pieces [][]string
	var piece []string
	for _, line := range append(b.code, "// ...") {
		if strings.TrimSpace(line) != "// ..." {
			piece = append(piece, line)
			continue
		}
		if piece = trimEmpty(piece); len(piece) > 0 {
			pieces = append(pieces, piece)
		}
		piece = nil
	}
	return pieces
}

func trimEmpty(lines []string) []string {
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// find returns the index behind piece in source, or -1.
func find(source, piece []string) int {
	for start := 0; start+len(piece) <= len(source); start++ {
		if equal(source[start:start+len(piece)], piece) {
			return start + len(piece)
		}
	}
	return -1
}

// equal compares lines without each side's common indentation.
func equal(a, b []string) bool {
	inA, inB := indentation(a[0]), indentation(b[0])
	for i := range a {
		if !strings.HasPrefix(a[i], inA) && a[i] != "" || !strings.HasPrefix(b[i], inB) && b[i] != "" {
			return false
		}
		if strings.TrimPrefix(a[i], inA) != strings.TrimPrefix(b[i], inB) {
			return false
		}
	}
	return true
}

func indentation(line string) string {
	return line[:len(line)-len(strings.TrimLeft(line, "\t "))]
}
