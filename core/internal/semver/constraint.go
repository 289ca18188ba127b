package semver

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxConstraint limits the text of a constraint, in bytes.
const MaxConstraint = 512

// Constraint selects versions. The zero value allows every release.
type Constraint struct {
	text  string
	terms []term
}

// ParseConstraint reads a constraint; "" and white space allow every release. The
// error does not repeat the text.
func ParseConstraint(text string) (Constraint, error) {
	c := Constraint{text: strings.TrimSpace(text)}
	switch {
	case c.text == "":
		return Constraint{}, nil
	case len(c.text) > MaxConstraint:
		return Constraint{}, fmt.Errorf("it is longer than %d bytes", MaxConstraint)
	}
	for part := range strings.SplitSeq(c.text, ",") {
		t, err := parseTerm(strings.TrimSpace(part))
		if err != nil {
			return Constraint{}, err
		}
		c.terms = append(c.terms, t)
	}
	return c, nil
}

// IsZero reports whether the constraint has no terms.
func (c Constraint) IsZero() bool { return len(c.terms) == 0 }

// String returns the text, without white space around it.
func (c Constraint) String() string { return c.text }

// Allows reports whether v meets all terms. A pre-release must also be named: by a
// term with a pre-release of the same three numbers, other than one with "!=". The
// zero Version meets the zero Constraint alone.
func (c Constraint) Allows(v Version) bool {
	if v.IsZero() {
		return c.IsZero()
	}
	if v.prerelease != "" && !slices.ContainsFunc(c.terms, func(t term) bool { return t.asksFor(v) }) {
		return false
	}
	return !slices.ContainsFunc(c.terms, func(t term) bool { return !t.holds(v) })
}

// term is one condition. A version with fewer numbers is filled up with zeros.
type term struct {
	operator string
	version  Version
	written  int // the numbers in the text
}

// operators has the longer of two with a common beginning first.
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
	numbers, suffix := strings.TrimPrefix(condition, "v"), ""
	if strings.HasPrefix(numbers, "v") {
		return term{}, errTerm
	}
	if i := strings.IndexAny(numbers, "-+"); i >= 0 {
		numbers, suffix = numbers[:i], numbers[i:]
	}
	t.written = strings.Count(numbers, ".") + 1
	if t.written > len(t.version.numbers) {
		return term{}, errTerm
	}
	version, err := Parse(numbers + strings.Repeat(".0", len(t.version.numbers)-t.written) + suffix)
	if err != nil {
		return term{}, errTerm
	}
	t.version = version
	return t, nil
}

// holds reports whether v meets the condition.
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
	}
	// ~>: only the last written number, and those after it, may grow.
	fixed := t.written - 1
	return order >= 0 && slices.Equal(v.numbers[:fixed], t.version.numbers[:fixed])
}

// asksFor reports whether the term names a pre-release of v's three numbers. To
// exclude a pre-release asks for none.
func (t term) asksFor(v Version) bool {
	return t.operator != "!=" && t.version.prerelease != "" && t.version.compareNumbers(v) == 0
}
