// Package names derives all forms of the names in a scaffold, and checks the names.
package names

import (
	"slices"
	"strings"
	"unicode"
)

// Answers are the names of a repository: its module path, the application, and
// the service of its plugins.
type Answers struct {
	Module  string `json:"module"`
	App     string `json:"app"`
	Service string `json:"service"`
}

// Template returns the names within the template with the given module path.
func Template(module string) Answers {
	return Answers{Module: module, App: "notely", Service: "NoteStore"}
}

// Plugin returns the name of a plugin's program, APP-plugin-NAME.
func (a Answers) Plugin(name string) string { return a.App + "-plugin-" + name }

// forms lists each spelling of both names, in the same order for all answers.
func (a Answers) forms() []string {
	words := Words(a.Service)
	var lower, spoken []string
	for _, word := range words {
		lower = append(lower, strings.ToLower(word))
		if len(word) == 1 || word != strings.ToUpper(word) {
			word = strings.ToLower(word) // keep acronyms: HTTP
		}
		spoken = append(spoken, word)
	}
	snake, space := strings.Join(lower, "_"), strings.Join(spoken, " ")
	return []string{
		a.App, Title(a.App), strings.ToUpper(a.App),
		a.Service,
		lower[0] + strings.Join(words[1:], ""), // noteStore
		snake,                                  // note_store
		strings.Join(lower, "-"),               // note-store
		strings.Join(lower, ""),                // notestore
		strings.ToUpper(snake),                 // NOTE_STORE
		space,                                  // note store
		Title(space),                           // Note store
	}
}

// Words splits a name at its capital letters: HTTPNoteStore is HTTP, Note, Store.
func Words(name string) []string {
	runes := []rune(name)
	var words []string
	start := 0
	for i := 1; i < len(runes); i++ {
		afterLower := unicode.IsUpper(runes[i]) && !unicode.IsUpper(runes[i-1])
		endOfAcronym := unicode.IsUpper(runes[i]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if afterLower || endOfAcronym {
			words = append(words, string(runes[start:i]))
			start = i
		}
	}
	return append(words, string(runes[start:]))
}

// Title returns s with a capital first letter.
func Title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Renamer returns a replacer that changes the names of from to those of to. It also changes
// the paths in modules to the module path of to. It leaves the texts in keep unchanged.
func Renamer(from, to Answers, modules, keep []string) *strings.Replacer {
	type pair struct{ old, new string }
	var pairs []pair
	for _, s := range keep {
		pairs = append(pairs, pair{s, s})
	}
	for _, module := range append([]string{from.Module}, modules...) {
		pairs = append(pairs, pair{module, to.Module})
	}
	newForms := to.forms()
	for i, form := range from.forms() {
		pairs = append(pairs, pair{form, newForms[i]})
	}
	// A replacer prefers the earlier pair, and the longer name must win.
	slices.SortStableFunc(pairs, func(a, b pair) int { return len(b.old) - len(a.old) })
	var args []string
	for _, p := range pairs {
		args = append(args, p.old, p.new)
	}
	return strings.NewReplacer(args...)
}

// Leftovers returns the forms of from in s outside the names of to.
func Leftovers(s string, from, to Answers) []string {
	kept := append(to.forms(), to.Module)
	slices.SortFunc(kept, func(a, b string) int { return len(b) - len(a) })
	for _, name := range kept {
		s = strings.ReplaceAll(s, name, "")
	}
	var found []string
	for _, form := range append(from.forms(), from.Module) {
		if strings.Contains(s, form) {
			found = append(found, form)
		}
	}
	return found
}
