package semver_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery/semver"
)

func parse(t testing.TB, text string) semver.Version {
	t.Helper()
	v, err := semver.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestParseTakesSemanticVersionsOnly(t *testing.T) {
	good := []string{
		"0.0.0", "1.4.2", "v1.4.2", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7", "1.0.0-x.7.z.92",
		"1.0.0-x-y-z.--", "1.0.0+20130313144700", "1.0.0-beta+exp.sha.5114f85", "1.0.0+21AF26D3---117B344092BD",
		"1.0.0+01.002", "1.0.0-0a", "99999999999999999999999.0.0", "1.2.3-99999999999999999999999",
	}
	for _, text := range good {
		v, err := semver.Parse(text)
		if err != nil || v.String() != strings.TrimPrefix(text, "v") || v.IsZero() {
			t.Errorf("%q: %q, %v", text, v, err)
		}
	}
	bad := []string{
		"", "v", "1", "1.2", "1.2.3.4", "01.2.3", "1.02.3", "1.2.3-", "1.2.3+", "1.2.3-01", "1.2.3-a..b", "1.2.3-a.",
		"1.2.x", "1.4 ", "-1.2.3", "1.2.3 ", " 1.2.3", "vv1.2.3", "V1.2.3", "1.2.3-é", "1.2.3-a_b", "latest",
		"1.2-beta", "1.2.3-" + strings.Repeat("a", 200),
	}
	for _, text := range bad {
		v, err := semver.Parse(text)
		var wrong *semver.VersionError
		if !errors.As(err, &wrong) || !v.IsZero() || wrong.Reason == "" || len(err.Error()) > 400 {
			t.Errorf("%q: %q, %v", text, v, err)
		}
	}
}

func TestCompareOrdersByPrecedence(t *testing.T) {
	ascending := []string{
		"0.9.9", "1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
		"1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0", "10.0.0",
		"99999999999999999999998.0.0", "99999999999999999999999.0.0",
	}
	versions := make([]semver.Version, 1, len(ascending)+1) // the zero one is lowest
	for _, text := range ascending {
		versions = append(versions, parse(t, text))
	}
	for i, a := range versions {
		for j, b := range versions {
			if got, want := a.Compare(b), min(1, max(-1, i-j)); got != want {
				t.Errorf("%q against %q: %d, want %d", a, b, got, want)
			}
		}
	}
	if c := parse(t, "1.0.0+a").Compare(parse(t, "1.0.0+b")); c != 0 {
		t.Errorf("build metadata counts: %d", c)
	}
}

func TestReleaseAndPrerelease(t *testing.T) {
	for text, want := range map[string][2]string{
		"1.2.3": {"1.2.3", ""}, "1.2.3-b.1": {"1.2.3", "b.1"}, "1.2.3-b-c+x-y": {"1.2.3", "b-c"}, "1.2.3+x-y": {"1.2.3", ""},
	} {
		v := parse(t, text)
		if got := [2]string{v.Release().String(), v.Prerelease()}; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestConstraintsMeanWhatTheyMeanInConfigurationFiles(t *testing.T) {
	versions := []string{"1.1.9", "1.2.0", "1.4.0", "1.4.2", "1.5.0-beta.2", "1.5.0", "1.6.0-rc.1", "2.0.0-beta", "2.0.0"}
	tests := []struct {
		constraint, allowed, withPrereleases string
	}{
		{"", "1.1.9 1.2.0 1.4.0 1.4.2 1.5.0 2.0.0", strings.Join(versions, " ")},
		{">= 1.2, < 2", "1.2.0 1.4.0 1.4.2 1.5.0", "1.2.0 1.4.0 1.4.2 1.5.0-beta.2 1.5.0 1.6.0-rc.1"},
		{">=1.2,<2", "1.2.0 1.4.0 1.4.2 1.5.0", "1.2.0 1.4.0 1.4.2 1.5.0-beta.2 1.5.0 1.6.0-rc.1"},
		{"~> 1.4", "1.4.0 1.4.2 1.5.0", "1.4.0 1.4.2 1.5.0-beta.2 1.5.0 1.6.0-rc.1"},
		{"~> 1.4.1", "1.4.2", "1.4.2"},
		{"~> 1.4, <= 2.0.0-beta", "1.4.0 1.4.2 1.5.0", "1.4.0 1.4.2 1.5.0-beta.2 1.5.0 1.6.0-rc.1"}, // it is no 1.x
		{"~> 1", "1.1.9 1.2.0 1.4.0 1.4.2 1.5.0 2.0.0", strings.Join(versions, " ")},
		{"1.4.2", "1.4.2", "1.4.2"},
		{"= 1.4", "1.4.0", "1.4.0"},
		{"> 1.4, != 1.4.2", "1.5.0 2.0.0", "1.5.0-beta.2 1.5.0 1.6.0-rc.1 2.0.0-beta 2.0.0"},
		{"!= 1.4.2", "1.1.9 1.2.0 1.4.0 1.5.0 2.0.0", "1.1.9 1.2.0 1.4.0 1.5.0-beta.2 1.5.0 1.6.0-rc.1 2.0.0-beta 2.0.0"},
		{">= 1.5.0-beta.1", "1.5.0-beta.2 1.5.0 2.0.0", "1.5.0-beta.2 1.5.0 1.6.0-rc.1 2.0.0-beta 2.0.0"},
		{"!= 1.5.0-beta.2", "1.1.9 1.2.0 1.4.0 1.4.2 1.5.0 2.0.0", "1.1.9 1.2.0 1.4.0 1.4.2 1.5.0 1.6.0-rc.1 2.0.0-beta 2.0.0"},
		{"> 1.4.2, != 1.5.0-beta.1", "1.5.0 2.0.0", "1.5.0-beta.2 1.5.0 1.6.0-rc.1 2.0.0-beta 2.0.0"},
		{"~> 1.5.0-beta.1, != 1.5.0-beta.2", "1.5.0", "1.5.0"},
		{"<= 1.5.0-beta.2", "1.1.9 1.2.0 1.4.0 1.4.2 1.5.0-beta.2", "1.1.9 1.2.0 1.4.0 1.4.2 1.5.0-beta.2"},
		{"> 3", "", ""},
	}
	for _, test := range tests {
		t.Run(test.constraint, func(t *testing.T) {
			c, err := semver.ParseConstraint(test.constraint)
			if err != nil {
				t.Fatal(err)
			}
			if c.String() != test.constraint || c.IsZero() != (test.constraint == "") {
				t.Errorf("it reads %q", c)
			}
			for want, c := range map[string]semver.Constraint{test.allowed: c, test.withPrereleases: c.WithPrereleases()} {
				var allowed []string
				for _, text := range versions {
					if c.Allows(parse(t, text)) {
						allowed = append(allowed, text)
					}
				}
				if got := strings.Join(allowed, " "); got != want {
					t.Errorf("it allows %s\nwant %s", got, want)
				}
			}
			if got := c.Allows(semver.Version{}); got != (test.constraint == "") {
				t.Errorf("no version: %t", got)
			}
		})
	}
}

// An excluded pre-release asks for none.
func TestConstraintThatExcludesAPrereleaseAsksForNone(t *testing.T) {
	c, err := semver.ParseConstraint(">= 1.0, != 1.4.0-beta.1")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"1.4.0-beta.1": false, "1.4.0-beta.2": false, "1.4.0": true} {
		if got := c.Allows(parse(t, text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
		if got := c.WithPrereleases().Allows(parse(t, text)); got != (text != "1.4.0-beta.1") {
			t.Errorf("%s with pre-releases: %t", text, got)
		}
	}
}

func TestParseConstraintRefusesOtherTexts(t *testing.T) {
	for _, text := range []string{"new", ">= ", ">= 1.2 < 2", "=> 1", "1.x", "1.2.3 || 2", "vv1.2.3", "> vv1", ",", ">= 1,", strings.Repeat("> 1,", 1000) + "> 1"} {
		_, err := semver.ParseConstraint(text)
		var wrong *semver.ConstraintError
		if !errors.As(err, &wrong) || len(err.Error()) > 500 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// core/internal/semver has a copy of the vectors, and must agree.
func TestVectorsHold(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Valid, Invalid, Ascending, Among []string

		Constraints []struct {
			Constraint string
			Allows     []string
		}
		Unconstraints []string
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, text := range vectors.Valid {
		parse(t, text)
	}
	for _, text := range vectors.Invalid {
		if v, err := semver.Parse(text); err == nil {
			t.Errorf("%q reads %q", text, v)
		}
	}
	if !slices.IsSortedFunc(vectors.Ascending, func(a, b string) int { return parse(t, a).Compare(parse(t, b)) }) {
		t.Errorf("not ascending: %q", vectors.Ascending)
	}
	for _, test := range vectors.Constraints {
		c, err := semver.ParseConstraint(test.Constraint)
		allowed := slices.DeleteFunc(slices.Clone(vectors.Among), func(text string) bool { return !c.Allows(parse(t, text)) })
		if err != nil || !slices.Equal(allowed, test.Allows) {
			t.Errorf("%q allows %q, want %q (%v)", test.Constraint, allowed, test.Allows, err)
		}
	}
	for _, text := range vectors.Unconstraints {
		if c, err := semver.ParseConstraint(text); err == nil {
			t.Errorf("%q reads %q", text, c)
		}
	}
}

func TestVersionsAreJSONStrings(t *testing.T) {
	type holder struct{ Version semver.Version }
	for _, text := range []string{"", "1.2.3-b+c"} {
		var h holder
		data := fmt.Sprintf(`{"Version":%q}`, text)
		if err := json.Unmarshal([]byte(data), &h); err != nil || h.Version.String() != text {
			t.Errorf("%s: %q, %v", data, h.Version, err)
		}
		if out, err := json.Marshal(h); err != nil || string(out) != data {
			t.Errorf("%s, %v", out, err)
		}
	}
	var wrong *semver.VersionError
	if err := json.Unmarshal([]byte(`{"Version":"new"}`), new(holder)); !errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
}

func TestConstraintsAreJSONStrings(t *testing.T) {
	type holder struct{ Constraint semver.Constraint }
	for _, text := range []string{"", ">= 1.2, < 2"} {
		var h holder
		if err := json.Unmarshal([]byte(`{"Constraint":"`+text+`"}`), &h); err != nil || h.Constraint.String() != text {
			t.Errorf("%s: %q, %v", text, h.Constraint, err)
		}
		out, err := json.Marshal(h)
		var again holder
		if err == nil {
			err = json.Unmarshal(out, &again)
		}
		if err != nil || again.Constraint.String() != text || again.Constraint.Allows(parse(t, "2.0.0")) != (text == "") {
			t.Errorf("%s: %s, %v", text, out, err)
		}
	}
	var wrong *semver.ConstraintError
	if err := json.Unmarshal([]byte(`{"Constraint":"new"}`), new(holder)); !errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
}

// specified is the expression of semver.org.
var specified = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
	`(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?` +
	`(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$`)

// Parsed versions follow semver.org, print as they were read, and are not above their
// releases.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"1.2.3", "v1.2.3-beta.1+b", "1.2", "01.2.3", "1.2.3-01", "1.2.3-9.a.-"} {
		f.Add(seed, ">= 1.0.0-0")
	}
	f.Fuzz(func(t *testing.T, text, constraint string) {
		c, constraintErr := semver.ParseConstraint(constraint)
		bare := strings.TrimPrefix(text, "v")
		parts := specified.FindStringSubmatch(bare)
		v, err := semver.Parse(text)
		if (err == nil) != (parts != nil && len(bare) <= 128) {
			t.Errorf("%q: %v, against semver.org's %q", text, err, parts)
		}
		if err != nil {
			return
		}
		if v.String() != bare {
			t.Errorf("%q prints as %q", text, v)
		}
		if v.Prerelease() != parts[4] || v.Release().String() != strings.Join(parts[1:4], ".") {
			t.Errorf("%q is %q of %q", text, v.Prerelease(), v.Release())
		}
		if v.Compare(v.Release()) > 0 || v.Release().Compare(v) < 0 {
			t.Errorf("%q is above its release", text)
		}
		if constraintErr == nil && c.Allows(v) && !c.WithPrereleases().Allows(v) {
			t.Errorf("%q allows %q only without pre-releases", constraint, text)
		}
	})
}

func ExampleConstraint() {
	c, err := semver.ParseConstraint("~> 1.4")
	if err != nil {
		fmt.Println(err)
		return
	}
	var fit []semver.Version
	for _, text := range []string{"1.3.9", "1.4.0", "1.10.2", "1.11.0-beta", "2.0.0"} {
		if v, err := semver.Parse(text); err == nil && c.Allows(v) {
			fit = append(fit, v)
		}
	}
	fmt.Println(slices.MaxFunc(fit, semver.Version.Compare))
	// Output: 1.10.2
}
