package handshake_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/jackfield-go/jackfield/core/handshake"
)

var about = handshake.About{
	Version: "1.4.2", Build: "v1.4.2 3f2a9c1d5b7e", Library: "jackfield v0.1.0", Language: "go1.25.0", RequiresHost: ">= 2, < 3",
}

func TestAboutAddsOnlyTheFieldsAskedFor(t *testing.T) {
	for _, c := range []struct {
		name   string
		about  handshake.About
		fields []string
		asked  []string
		want   []string
	}{
		{"nothing asked", about, nil, nil, nil},
		{"other fields asked", about, nil, []string{"versions", "colour"}, nil},
		{"a version", about, nil, []string{"version"}, []string{"", "version=1.4.2"}},
		{"nothing to say", handshake.About{Build: " "}, nil, handshake.AboutFields(), nil},
		{"white space around", handshake.About{Build: " a\tb\n"}, nil, handshake.AboutFields(), []string{"", "build=a%09b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.about.Append(c.fields, handshake.Environment{Fields: c.asked})
			if !slices.Equal(got, c.want) {
				t.Errorf("fields %q, want %q", got, c.want)
			}
		})
	}
}

func TestReadAboutReadsWhatAppendWrites(t *testing.T) {
	asked := handshake.Environment{Fields: handshake.AboutFields()}
	for _, sent := range []handshake.About{about, {}, {Build: "a|b 100% é %7C"}} {
		line, err := handshake.Line{Network: "unix", Address: "/tmp/p", Fields: sent.Append(nil, asked)}.Format()
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := handshake.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if got := handshake.ReadAbout(parsed.Fields); got != sent {
			t.Errorf("read %+v, sent %+v", got, sent)
		}
	}
}

func TestReadAboutBoundsAPluginsTexts(t *testing.T) {
	for value, want := range map[string]string{
		"":                        "",
		"%4":                      "%4",
		"%e2%80%ae":               "\uFFFD",
		" %09a b%0A ":             "a b", //nolint:gocritic // mapKey: the white space is the subject
		strings.Repeat("x", 513):  strings.Repeat("x", 509) + "…",
		strings.Repeat("é", 2000): strings.Repeat("é", 254) + "…",
	} {
		if got := handshake.ReadAbout([]string{"", "build=" + value}); got.Build != want || got.Version != "" {
			t.Errorf("%q reads %q, want %q", value, got.Build, want)
		}
	}
}

func TestAboutHasAFieldForEachText(t *testing.T) {
	if n := reflect.TypeFor[handshake.About]().NumField(); n != len(handshake.AboutFields()) {
		t.Errorf("%d texts and %d fields", n, len(handshake.AboutFields()))
	}
}

// FuzzReadAbout checks that any fields give bounded, printable texts, and that
// sending these again gives the same.
func FuzzReadAbout(f *testing.F) {
	f.Add("true", "version=1.4.2|build=a%7Cb 100%25|language=go1.25.0")
	f.Add("", "requires-host=>= 2, < 3|requires-host=< 2")
	f.Add("", "library=%1b[2J%ff%|version=%%41")
	f.Fuzz(func(t *testing.T, seventh, rest string) {
		a := handshake.ReadAbout(append([]string{seventh}, strings.Split(rest, "|")...))
		for _, text := range []string{a.Version, a.Build, a.Library, a.Language, a.RequiresHost} {
			if len(text) > handshake.MaxAbout || !utf8.ValidString(text) ||
				strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("out of bounds: %q", text)
			}
		}
		asked := handshake.Environment{Fields: handshake.AboutFields()}
		again := handshake.ReadAbout(a.Append(nil, asked))
		for _, text := range []*string{&a.Version, &a.Build, &a.Library, &a.Language, &a.RequiresHost} {
			*text = strings.TrimSpace(*text)
		}
		if again != a {
			t.Errorf("sent %+v, read %+v", a, again)
		}
	})
}
