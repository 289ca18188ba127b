package semver_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/internal/semver"
)

// vectors are the table shared with discovery/semver.
type vectors struct {
	Valid, Invalid, Ascending, Among []string

	Constraints []struct {
		Constraint string
		Allows     []string
	}
	Unconstraints []string
}

func load(tb testing.TB) vectors {
	tb.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		tb.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		tb.Fatal(err)
	}
	return v
}

func parse(tb testing.TB, text string) semver.Version {
	tb.Helper()
	v, err := semver.Parse(text)
	if err != nil {
		tb.Fatalf("%q: %v", text, err)
	}
	return v
}

func TestParseTakesSemanticVersionsOnly(t *testing.T) {
	for _, text := range load(t).Valid {
		if v := parse(t, text); v.String() != strings.TrimPrefix(text, "v") || v.IsZero() {
			t.Errorf("%q reads %q", text, v)
		}
	}
	for _, text := range load(t).Invalid {
		if v, err := semver.Parse(text); err == nil || !v.IsZero() {
			t.Errorf("%q reads %q", text, v)
		}
	}
}

func TestCompareOrdersByPrecedence(t *testing.T) {
	ascending := load(t).Ascending
	for i, a := range ascending {
		for j, b := range ascending {
			if got, want := parse(t, a).Compare(parse(t, b)), min(1, max(-1, i-j)); got != want {
				t.Errorf("%q against %q: %d, want %d", a, b, got, want)
			}
		}
	}
	if c := parse(t, "1.0.0+a").Compare(parse(t, "1.0.0+b")); c != 0 {
		t.Errorf("build metadata counts: %d", c)
	}
}

func TestConstraintsAllowTheVersionsOfTheVectors(t *testing.T) {
	v := load(t)
	for _, test := range v.Constraints {
		c, err := semver.ParseConstraint(test.Constraint)
		if err != nil {
			t.Errorf("%q: %v", test.Constraint, err)
			continue
		}
		allowed := slices.DeleteFunc(slices.Clone(v.Among), func(text string) bool { return !c.Allows(parse(t, text)) })
		if !slices.Equal(allowed, test.Allows) {
			t.Errorf("%q allows %q, want %q", test.Constraint, allowed, test.Allows)
		}
		if want := strings.TrimSpace(test.Constraint); c.String() != want || c.IsZero() != (want == "") || c.Allows(semver.Version{}) != (want == "") {
			t.Errorf("%q reads %q, no terms: %t, allows no version: %t", test.Constraint, c, c.IsZero(), c.Allows(semver.Version{}))
		}
	}
	for _, text := range v.Unconstraints {
		if c, err := semver.ParseConstraint(text); err == nil || !c.IsZero() {
			t.Errorf("%q reads %q", text, c)
		}
	}
}

// specified is the expression of semver.org.
var specified = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
	`(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?` +
	`(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$`)

// FuzzParse checks versions against the expression of semver.org, and constraints
// with them: those made of a version hold for it.
func FuzzParse(f *testing.F) {
	v := load(f)
	for i, text := range slices.Concat(v.Valid, v.Invalid, v.Ascending) {
		f.Add(text, v.Constraints[i%len(v.Constraints)].Constraint)
	}
	f.Fuzz(func(t *testing.T, text, constraint string) {
		c, constraintErr := semver.ParseConstraint(constraint)
		bare := strings.TrimPrefix(text, "v")
		parts := specified.FindStringSubmatch(bare)
		v, err := semver.Parse(text)
		if (err == nil) != (parts != nil && len(bare) <= semver.MaxLength) {
			t.Fatalf("%q: %v, against semver.org's %q", text, err, parts)
		}
		if err != nil {
			return
		}
		if v.String() != bare || v.Prerelease() != parts[4] || v.Compare(parse(t, bare)) != 0 {
			t.Errorf("%q reads %q with pre-release %q", text, v, v.Prerelease())
		}
		for _, operator := range []string{"=", ">=", "<=", "~>"} {
			if own, err := semver.ParseConstraint(operator + text); err != nil || !own.Allows(v) {
				t.Errorf("%s%s: %v, allows itself: %t", operator, text, err, err == nil && own.Allows(v))
			}
		}
		if constraintErr == nil {
			again, err := semver.ParseConstraint(c.String())
			if err != nil || again.Allows(v) != c.Allows(v) {
				t.Errorf("%q reads differently as %q: %v", constraint, c, err)
			}
		}
	})
}
