package migrating

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// page has a heading for each exported type of go-plugin, with a table of its fields and
// methods. Another heading covers everything outside a type.
const page = "../../docs/migrating.md"

// noType is the heading of functions, variables and constants.
const noType = "Functions, variables and constants"

// api has the exported names of each type, by the type's name. Names outside a type are
// under noType.
type api map[string]map[string]bool

func (a api) add(parent string, names ...string) {
	if a[parent] == nil {
		a[parent] = make(map[string]bool)
	}
	for _, name := range names {
		if ast.IsExported(name) {
			a[parent][name] = true
		}
	}
}

func TestPageHasEachExportedNameOfGoPlugin(t *testing.T) {
	exported := make(api)
	exported.read(t, "github.com/hashicorp/go-plugin", "")
	exported.read(t, "github.com/hashicorp/go-plugin/runner", "runner.")
	if len(exported) < 30 || len(exported["ClientConfig"]) < 20 {
		t.Fatalf("read %d types, ClientConfig has %d fields", len(exported), len(exported["ClientConfig"]))
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	rows := documented(string(text))
	for _, parent := range slices.Sorted(maps.Keys(exported)) {
		if _, ok := rows[parent]; !ok && !strings.Contains(string(text), "`"+parent+"`") {
			t.Errorf("%s is not in the page", parent)
		}
		for _, name := range slices.Sorted(maps.Keys(exported[parent])) {
			if !rows[parent][name] {
				t.Errorf("%s: %s has no row", parent, name)
			}
		}
	}
	expectNoOthers(t, string(text), exported)
}

func TestPageShowsTheHostsOutput(t *testing.T) {
	shown, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	indented := strings.ReplaceAll("\n"+printed, "\n", "\n    ")
	if !strings.Contains(string(shown), strings.TrimRight(indented, " ")) {
		t.Errorf("the page does not show\n%s", printed)
	}
}

// expectNoOthers expects each name with a row to exist in go-plugin.
func expectNoOthers(t *testing.T, text string, exported api) {
	t.Helper()
	for heading, names := range sections(text) {
		for name := range names {
			if !slices.ContainsFunc(parents(heading), func(p string) bool { return exported[p][name] }) {
				t.Errorf("%q: go-plugin has no %s there", heading, name)
			}
		}
	}
}

// The page names identifiers of Jackfield with their package or type in front. Those of
// package runner may also be go-plugin's.
func TestPageUsesOnlyExistingNamesOfJackfield(t *testing.T) {
	const path = "github.com/jackfield-go/jackfield/"
	packages := make(map[string]api)
	for name, under := range map[string]string{
		"core": "core", "host": "core/host", "plugin": "core/plugin", "runner": "core/runner",
		"handshake": "core/handshake", "plugintest": "core/plugintest", "loghclog": "log-hclog",
		"transportnetrpc": "transport-netrpc", "transportgrpc": "transport-grpc", "discovery": "discovery",
		"verify": "core/verify",
	} {
		packages[name] = make(api)
		packages[name].read(t, path+under, "")
	}
	client := make(api) // its package's name is also the standard library's
	client.read(t, path+"transport-netrpc/rpc", "")
	packages["runner"].add(noType, "AttachedRunner", "ReattachFunc")
	types := map[string][]map[string]bool{
		"Config":    {packages["host"]["Config"], packages["plugin"]["Config"]},
		"client":    {packages["host"]["Client"]},
		"Client":    {client["Client"], packages["host"]["Client"]},
		"Broker":    {packages["transportnetrpc"]["Broker"], packages["transportgrpc"]["Broker"]},
		"Env":       {packages["plugin"]["Env"]},
		"Plugin":    {packages["plugintest"]["Plugin"]},
		"Transport": {packages["core"]["Transport"]},
		"Verifier":  {packages["verify"]["Verifier"]},
	}
	for name, found := range packages {
		types[name] = []map[string]bool{found[noType], names(found)}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, match := range qualified.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), "\n"), -1) {
		if sets, ok := types[match[1]]; ok {
			checked++
			if !slices.ContainsFunc(sets, func(set map[string]bool) bool { return set[match[2]] }) {
				t.Errorf("Jackfield has no %s.%s", match[1], match[2])
			}
		}
	}
	if checked < 60 {
		t.Errorf("the page has only %d names of Jackfield's", checked)
	}
}

// qualified matches a name after a dot; "Plugin.Greet" is a string.
var qualified = regexp.MustCompile(`[^"\w]([A-Za-z]+)\.([A-Z]\w*)`)

// fenced matches a block of code; another test compiles it.
var fenced = regexp.MustCompile("(?s)\n```.*?\n```\n")

// names returns the types of a package.
func names(a api) map[string]bool {
	found := make(map[string]bool)
	for name := range a {
		found[name] = true
	}
	return found
}

// read adds the exported names of a package.
func (a api) read(t *testing.T, path, prefix string) {
	t.Helper()
	found, err := build.Import(path, ".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found.GoFiles {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(found.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range file.Decls {
			a.declare(declared, prefix)
		}
	}
}

// declare adds the exported names of a declaration.
func (a api) declare(declared ast.Decl, prefix string) {
	switch d := declared.(type) {
	case *ast.FuncDecl:
		parent := noType
		if d.Recv != nil {
			if parent = receiver(d.Recv); !ast.IsExported(parent) {
				return
			}
			parent = prefix + parent
		}
		a.add(parent, d.Name.Name)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				for _, name := range s.Names {
					a.add(noType, name.Name)
				}
			case *ast.TypeSpec:
				if ast.IsExported(s.Name.Name) {
					a.add(prefix+s.Name.Name, members(s.Type)...)
				}
			}
		}
	}
}

// receiver returns the name of a method's type.
func receiver(fields *ast.FieldList) string {
	of := fields.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// members returns the names of fields and methods. An embedded type has its own heading.
func members(of ast.Expr) []string {
	var fields *ast.FieldList
	switch kind := of.(type) {
	case *ast.StructType:
		fields = kind.Fields
	case *ast.InterfaceType:
		fields = kind.Methods
	default:
		return nil
	}
	var names []string
	for _, field := range fields.List {
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
	}
	return names
}

var span = regexp.MustCompile("`([A-Za-z.]+)`")

// spans returns the names in code spans.
func spans(text string) []string {
	var names []string
	for _, match := range span.FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	return names
}

// sections returns the names in the first column of each heading's table, from the list of
// types on.
func sections(text string) api {
	found := make(api)
	_, list, _ := strings.Cut(text, "\n## Type by type\n")
	heading := ""
	for line := range strings.Lines(list) {
		if title, ok := strings.CutPrefix(line, "### "); ok {
			heading = strings.TrimSpace(title)
			found.add(heading)
		}
		if cells := strings.Split(line, "|"); len(cells) == 4 && heading != "" {
			found.add(heading, spans(cells[1])...)
		}
	}
	return found
}

// parents returns the types in a heading.
func parents(heading string) []string {
	if heading == noType {
		return []string{noType}
	}
	return spans(heading)
}

// documented returns the names by type.
func documented(text string) api {
	found := make(api)
	for heading, names := range sections(text) {
		for _, parent := range parents(heading) {
			found.add(parent, slices.Collect(maps.Keys(names))...)
		}
	}
	return found
}
