package handshake_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/handshake"
)

func TestExtensionFindsTheFirstFieldOfThatKey(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields []string
		key    string
		want   string
		ok     bool
	}{
		{"no fields", nil, "versions", "", false},
		{"the seventh field is the transport's", []string{"versions=1"}, "versions", "", false},
		{"after an empty seventh field", []string{"", "versions=1,2"}, "versions", "1,2", true},
		{"after a seventh field", []string{"true", "a=b", "versions=1"}, "versions", "1", true},
		{"the first of two", []string{"", "k=1", "k=2"}, "k", "1", true},
		{"an empty value", []string{"", "k="}, "k", "", true},
		{"an equals sign in the value", []string{"", "k=a=b"}, "k", "a=b", true},
		{"no equals sign", []string{"", "k"}, "k", "", false},
		{"another key", []string{"", "kk=1"}, "k", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := handshake.Extension(c.fields, c.key); got != c.want || ok != c.ok {
				t.Errorf("Extension(%q, %q) = %q, %t; want %q, %t", c.fields, c.key, got, ok, c.want, c.ok)
			}
		})
	}
}

func TestAppendExtensionKeepsTheSeventhFieldFree(t *testing.T) {
	got, err := handshake.AppendExtension(nil, "a", "1")
	if err == nil {
		got, err = handshake.AppendExtension(got, "b", "")
	}
	if want := []string{"", "a=1", "b="}; err != nil || !slices.Equal(got, want) {
		t.Errorf("AppendExtension = %q, %v; want %q", got, err, want)
	}
	got, err = handshake.AppendExtension([]string{"true"}, "a", "1")
	if want := []string{"true", "a=1"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("AppendExtension = %q, %v; want %q", got, err, want)
	}
}

func TestAppendExtensionLeavesItsArgumentAlone(t *testing.T) {
	fields := make([]string, 1, 4)
	if _, err := handshake.AppendExtension(fields, "a", "1"); err != nil {
		t.Fatal(err)
	}
	if fields[:2][1] != "" {
		t.Error("AppendExtension wrote into the caller's array")
	}
}

func TestAppendExtensionRefusesInvalidFields(t *testing.T) {
	for _, c := range []struct{ key, value string }{
		{"", "x"},
		{"Upper", "x"},
		{"a=b", "x"},
		{strings.Repeat("k", 65), "x"},
		{"k", "a|b"},
		{"k", "a\nb"},
		{"k", "a "},
	} {
		_, err := handshake.AppendExtension(nil, c.key, c.value)
		var format *handshake.FormatError
		if !errors.As(err, &format) || format.Field != handshake.FieldExtra {
			t.Errorf("AppendExtension(%q, %q): error %v, want a FormatError", c.key, c.value, err)
		}
	}
}

func TestFormatVersionsIsReadByParseVersions(t *testing.T) {
	many := make([]int, 3000)
	for i := range many {
		many[i] = 3000 - i
	}
	for _, c := range []struct {
		versions []int
		count    int
	}{{nil, 0}, {[]int{3, 1, 3, -2}, 2}, {many, 1024}} {
		before := slices.Clone(c.versions)
		got := handshake.ParseVersions(handshake.FormatVersions(c.versions))
		if len(got) != c.count || !slices.IsSorted(got) || !slices.Equal(before, c.versions) {
			t.Errorf("%d versions come back as %d (sorted: %t)", len(c.versions), len(got), slices.IsSorted(got))
		}
	}
}
