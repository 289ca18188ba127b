package semver

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	library "golang.org/x/mod/semver"

	"github.com/jackfield-go/jackfield/discovery/internal/text"
)

// maxConstraint bounds the text of a constraint, in bytes.
const maxConstraint = 512

// Constraint selects versions. The zero value allows every release.
type Constraint struct {
	text        string
	terms       []term
	prereleases bool // all of them are asked for
}

// ConstraintError says that a text is no constraint.
type ConstraintError struct {
	// Text is the text, shortened if it was long.
	Text string
	// Err is its fault.
	Err error
}

func (e *ConstraintError) Error() string {
	return fmt.Sprintf("%q is no version constraint such as \">= 1.2, < 2\" or \"~> 1.4\": %v", e.Text, e.Err)
}

// Unwrap returns the fault of the text.
func (e *ConstraintError) Unwrap() error { return e.Err }

// ParseConstraint reads a constraint; "" and white space allow every release. An
// error is a *[ConstraintError].
func ParseConstraint(constraint string) (Constraint, error) {
	constraint = strings.TrimSpace(constraint)
	if constraint == "" {
		return Constraint{}, nil
	}
	c, err := parseConstraint(constraint)
	if err != nil {
		return Constraint{}, &ConstraintError{Text: text.Clip(constraint, maxLength), Err: err}
	}
	return c, nil
}

func parseConstraint(constraint string) (Constraint, error) {
	if len(constraint) > maxConstraint {
		return Constraint{}, fmt.Errorf("it is longer than %d bytes", maxConstraint)
	}
	c := Constraint{text: constraint}
	for part := range strings.SplitSeq(constraint, ",") {
		t, err := parseTerm(strings.TrimSpace(part))
		if err != nil {
			return Constraint{}, err
		}
		c.terms = append(c.terms, t)
	}
	return c, nil
}

// term is one condition. A version with fewer numbers is filled up with zeros.
type term struct {
	operator string
	version  Version
	numbers  int // how many the text had
}

// operators, the longer ones of a common beginning first.
var operators = []string{"~>", ">=", "<=", "!=", "=", ">", "<"}

var errTerm = errors.New("it must be terms with commas between them, each of =, !=, >, >=, <, <= or ~> and a version")

func parseTerm(condition string) (term, error) {
	t := term{operator: "="}
	for _, operator := range operators {
		if rest, found := strings.CutPrefix(condition, operator); found {
			t.operator, condition = operator, strings.TrimSpace(rest)
			break
		}
	}
	numbers := strings.TrimPrefix(condition, "v")
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

// holds reports whether the version meets the condition.
func (t term) holds(v Version) bool {
	order := v.Compare(t.version)
	switch t.operator {
	case "=":
		return order == 0
	case "!=":
		return order != 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	default: // ~>
		return order >= 0 && t.sameBefore(v)
	}
}

// sameBefore reports whether the numbers before the last of the term are the
// version's: under ~> only the last one, and those after it, may grow.
func (t term) sameBefore(v Version) bool {
	switch t.numbers {
	case 1:
		return true
	case 2:
		return library.Major(v.text) == library.Major(t.version.text)
	default:
		return library.MajorMinor(v.text) == library.MajorMinor(t.version.text)
	}
}

// WithPrereleases returns the constraint with all pre-releases asked for. Each then
// counts as its later release, unless the constraint names one of the same release:
// "< 2" does not allow 2.0.0-beta.
func (c Constraint) WithPrereleases() Constraint {
	c.prereleases = true
	return c
}

// Allows reports whether v will do. The zero Version does only where everything
// does.
func (c Constraint) Allows(v Version) bool {
	switch {
	case v.IsZero():
		return c.IsZero()
	case v.Prerelease() == "" || c.names(v.Release()):
		return c.hold(v)
	default:
		return c.prereleases && c.hold(v.Release())
	}
}

// names reports whether a term names a pre-release of that release. To exclude one
// asks for none.
func (c Constraint) names(release Version) bool {
	return slices.ContainsFunc(c.terms, func(t term) bool {
		return t.version.Prerelease() != "" && t.version.Release() == release && (t.operator != "!=" || c.prereleases)
	})
}

func (c Constraint) hold(v Version) bool {
	for _, t := range c.terms {
		if !t.holds(v) {
			return false
		}
	}
	return true
}

// IsZero reports whether the constraint has no terms, so it allows every release.
func (c Constraint) IsZero() bool { return len(c.terms) == 0 }

// String returns the parsed text.
func (c Constraint) String() string { return c.text }

// MarshalText returns String.
func (c Constraint) MarshalText() ([]byte, error) { return []byte(c.text), nil }

// UnmarshalText reads a text as ParseConstraint does.
func (c *Constraint) UnmarshalText(text []byte) error {
	parsed, err := ParseConstraint(string(text))
	if err == nil {
		*c = parsed
	}
	return err
}
