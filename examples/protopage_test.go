package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// protoPage is the content of docs/proto.md. The comment before each block gives
// its purpose:
//
//	<!-- file buf.gen.yaml: sources image -->   a file of these recipes
//	<!-- run: sources -->                       commands of this recipe
//	<!-- not run -->                            commands beyond a test's reach
type protoPage struct {
	recipes map[string]*recipe
	notRun  []string // commands, each in a line
}

// recipe is a reader's work in an empty directory. Blocks for one file are
// joined in order, and so are the script's commands.
type recipe struct {
	files  map[string]string
	script string
}

var (
	fileNote = regexp.MustCompile(`^file (\S+): (.+)$`)
	runNote  = regexp.MustCompile(`^run: (.+)$`)
)

func readProtoPage(t *testing.T) protoPage {
	t.Helper()
	document := filepath.Join(root, "docs", "proto.md")
	page := protoPage{recipes: make(map[string]*recipe)}
	for _, b := range blocks(t, document) {
		text := strings.Join(b.code, "\n") + "\n"
		if match := fileNote.FindStringSubmatch(b.note); match != nil {
			for name := range strings.FieldsSeq(match[2]) {
				page.recipe(name).files[match[1]] += text
			}
		} else if match := runNote.FindStringSubmatch(b.note); match != nil {
			for name := range strings.FieldsSeq(match[1]) {
				page.recipe(name).script += text
			}
		} else if b.note == "not run" {
			page.notRun = append(page.notRun, b.code...)
		} else {
			t.Errorf("%s:%d: no comment before the block says whether it is a file or run", document, b.line)
		}
	}
	return page
}

func (p protoPage) recipe(name string) *recipe {
	if p.recipes[name] == nil {
		p.recipes[name] = &recipe{files: make(map[string]string)}
	}
	return p.recipes[name]
}

// Every block of the page is a file, a tested command, or marked as not run. An
// indented block would escape this check.
func TestProtoPageHidesNoCommandFromItsTests(t *testing.T) {
	needRepository(t)
	page, checks := readProtoPage(t), protoChecks(nil)
	fenced := false
	for i, line := range readLines(t, filepath.Join(root, "docs", "proto.md")) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		} else if !fenced && strings.HasPrefix(line, "    ") {
			t.Errorf("docs/proto.md:%d: an indented block: fence it", i+1)
		}
	}
	for name := range page.recipes {
		if _, tested := checks[name]; !tested {
			t.Errorf("docs/proto.md: no test follows the recipe %q", name)
		}
	}
	for name := range checks {
		if page.recipes[name] == nil {
			t.Errorf("docs/proto.md has no recipe %q any more", name)
		}
	}
}

// checkNotRun checks that untested commands exist; most need buf's registry. It
// compares with buf's commands and flags, and with the Makefile's targets.
func (p protoPage) checkNotRun(t *testing.T) {
	for _, line := range p.notRun {
		line, _, _ = strings.Cut(line, "#")
		switch words := strings.Fields(line); words[0] {
		case "buf":
			checkBufCommand(t, words[1:])
		case "make":
			checkMakeTarget(t, words[1])
		case "diff": // compares with the output of the commands before it
		default:
			t.Errorf("docs/proto.md: %q is neither run nor checked", line)
		}
	}
}

// checkBufCommand compares a command with buf's help.
func checkBufCommand(t *testing.T, words []string) {
	t.Helper()
	end := slices.IndexFunc(words, func(word string) bool { return word == "proto" || strings.ContainsAny(word, "-./:") })
	if end < 0 {
		end = len(words) // no arguments
	}
	name := "buf " + strings.Join(words[:end], " ")
	help := command(t, root, "buf", append(words[:end:end], "--help")...)
	if !strings.Contains(help, "\n  "+name+" ") {
		t.Errorf("there is no %q, but:\n%s", name, help)
	}
	for _, word := range words[end:] {
		if strings.HasPrefix(word, "--") && !strings.Contains(help, word+" ") {
			t.Errorf("%q has no flag %s", name, word)
		}
	}
}

func checkMakeTarget(t *testing.T, target string) {
	t.Helper()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(makefile), "\n"+target+":") {
		t.Errorf("the Makefile has no target %q", target)
	}
}
