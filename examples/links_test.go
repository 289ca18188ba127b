package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	link = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	span = regexp.MustCompile("`[^`]*`") // of code
)

// Links between documents lead to existing files and headings. Code is skipped:
// a generic function's call looks like a link.
func TestDocumentsLinkToExistingPlaces(t *testing.T) {
	for _, document := range documents(t) {
		code := false
		for i, line := range readLines(t, document) {
			if strings.HasPrefix(line, "```") {
				code = !code
			}
			if code {
				continue
			}
			for _, match := range link.FindAllStringSubmatch(span.ReplaceAllString(line, ""), -1) {
				target, heading, _ := strings.Cut(match[1], "#")
				if strings.Contains(target, ":") {
					continue // outside this repository
				}
				file := document
				if target != "" {
					file = filepath.Join(filepath.Dir(document), filepath.FromSlash(target))
				}
				if _, err := os.Stat(file); err != nil {
					t.Errorf("%s:%d: %v", document, i+1, err)
					continue
				}
				if heading != "" && !hasHeading(t, file, heading) {
					t.Errorf("%s:%d: %s has no heading #%s", document, i+1, file, heading)
				}
			}
		}
	}
}

func hasHeading(t *testing.T, file, anchor string) bool {
	t.Helper()
	for _, line := range readLines(t, file) {
		if text, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && line[0] == '#' && slug(text) == anchor {
			return true
		}
	}
	return false
}

// slug is a heading's anchor in the rendered documents.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}
