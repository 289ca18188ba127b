package semver

import (
	"errors"
	"fmt"
	"strings"

	library "github.com/Masterminds/semver/v3"
)

// maxConstraint bounds the text of a constraint, in bytes.
const maxConstraint = 512

// Constraint says which versions will do. The zero value allows every release.
type Constraint struct {
	text        string
	terms       *library.Constraints // nil allows everything
	named       []named              // the pre-releases in the text
	prereleases bool                 // all of them are asked for
}

// named is a pre-release that a constraint names.
type named struct {
	release Version // to which it is on its way
	asks    bool    // for pre-releases of it; not where one is only excluded
}

// ConstraintError says that a text is no constraint.
type ConstraintError struct {
	// Text is what was read, shortened if it was long.
	Text string
	// Err says what is wrong with it.
	Err error
}

func (e *ConstraintError) Error() string {
	return fmt.Sprintf("%q is no version constraint such as \">= 1.2, < 2\" or \"~> 1.4\": %v", e.Text, e.Err)
}

// Unwrap returns what is wrong with the text.
func (e *ConstraintError) Unwrap() error { return e.Err }

// ParseConstraint reads a constraint; "" and white space allow every release. An
// error is a *[ConstraintError].
func ParseConstraint(text string) (Constraint, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Constraint{}, nil
	}
	c, err := parseConstraint(text)
	if err != nil {
		return Constraint{}, &ConstraintError{Text: clip(text), Err: err}
	}
	return c, nil
}

func parseConstraint(text string) (Constraint, error) {
	if len(text) > maxConstraint {
		return Constraint{}, fmt.Errorf("it is longer than %d bytes", maxConstraint)
	}
	c := Constraint{text: text}
	var terms []string
	for part := range strings.SplitSeq(text, ",") {
		t, err := parseTerm(strings.TrimSpace(part))
		if err != nil {
			return Constraint{}, err
		}
		terms = append(terms, t.plain()...)
		if t.version.Prerelease() != "" {
			c.named = append(c.named, named{t.version.Release(), t.operator != "!="})
		}
	}
	parsed, err := library.NewConstraint(strings.Join(terms, ", "))
	if err != nil {
		return Constraint{}, err
	}
	// Which pre-releases will do is decided here, not by the library.
	parsed.IncludePrerelease = true
	c.terms = parsed
	return c, nil
}

// term is one condition. A version that lacks numbers is filled up with zeros.
type term struct {
	operator string
	version  Version
	numbers  int // how many the text had
}

// operators, those first of which others are the beginning.
var operators = []string{"~>", ">=", "<=", "!=", "=", ">", "<"}

var errTerm = errors.New("it must be terms with commas between them, each of =, !=, >, >=, <, <= or ~> and a version")

func parseTerm(text string) (term, error) {
	t := term{operator: "="}
	for _, operator := range operators {
		if rest, found := strings.CutPrefix(text, operator); found {
			t.operator, text = operator, strings.TrimSpace(rest)
			break
		}
	}
	numbers := strings.TrimPrefix(text, "v")
	if strings.HasPrefix(numbers, "v") {
		return term{}, errTerm
	}
	suffix := ""
	if i := strings.IndexAny(numbers, "-+"); i >= 0 {
		numbers, suffix = numbers[:i], numbers[i:]
	}
	t.numbers = strings.Count(numbers, ".") + 1
	if t.numbers > 3 {
		return term{}, errTerm
	}
	version, err := Parse(numbers + strings.Repeat(".0", 3-t.numbers) + suffix)
	if err != nil {
		return term{}, errTerm
	}
	t.version = version
	return t, nil
}

// plain returns the term in operators that mean the same everywhere.
func (t term) plain() []string {
	if t.operator != "~>" {
		return []string{t.operator + t.version.String()}
	}
	from, v := ">="+t.version.String(), t.version.parsed()
	switch t.numbers {
	case 1:
		return []string{from} // the last number may grow, and there is no other
	case 2:
		return []string{from, "<" + exactly(v.Major()+1, 0)}
	default:
		return []string{from, "<" + exactly(v.Major(), v.Minor()+1)}
	}
}

// WithPrereleases returns the constraint with all pre-releases asked for. Each
// then counts as the release that it is on its way to, unless the constraint
// names one of the same release: "< 2" does not allow 2.0.0-beta.
func (c Constraint) WithPrereleases() Constraint {
	c.prereleases = true
	return c
}

// Allows reports whether v will do. The zero Version does only where everything
// does.
func (c Constraint) Allows(v Version) bool {
	if v.IsZero() {
		return c.terms == nil
	}
	if v.Prerelease() == "" {
		return c.hold(v)
	}
	for _, n := range c.named {
		if (n.asks || c.prereleases) && n.release.Compare(v.Release()) == 0 {
			return c.hold(v)
		}
	}
	return c.prereleases && c.hold(v.Release())
}

func (c Constraint) hold(v Version) bool {
	return c.terms == nil || c.terms.Check(v.parsed())
}

// IsZero reports whether the constraint has no terms, so that it allows every
// release.
func (c Constraint) IsZero() bool { return c.terms == nil }

// String returns the text that was parsed.
func (c Constraint) String() string { return c.text }

// exactly writes a version that ends with a zero.
func exactly(major, minor uint64) string { return fmt.Sprintf("%d.%d.0", major, minor) }
