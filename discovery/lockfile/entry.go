package lockfile

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/jackfield-go/jackfield/discovery/internal/text"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// These bound the texts of an entry, in bytes.
const (
	maxText   = 1 << 10
	maxSource = 8 << 10 // a path has up to 4096, a URL with a signature more than 1024
)

// Key names the binary of an entry.
type Key struct {
	// Kind is the kind of plugin, for applications with several. Empty: the only one.
	Kind string `json:"kind,omitempty"`
	// Name is the plugin's. Required.
	Name string `json:"name"`
	// Version is the plugin's. Zero: it has none.
	Version semver.Version `json:"version,omitzero"`
	// Platform is the platform of the binary, as "linux_amd64". Empty: it does not
	// say.
	Platform string `json:"platform,omitempty"`
}

// String returns the key as a person reads it: "loud 1.4.0 linux_amd64".
func (k Key) String() string {
	name := k.Name
	if k.Kind != "" {
		name = k.Kind + "/" + name
	}
	return strings.Join(strings.Fields(name+" "+k.Version.String()+" "+k.Platform), " ")
}

// shown is the key in an error.
func (k Key) shown() string { return text.Line(k.String(), shownKey) }

// compare orders by name, the newest version first.
func (k Key) compare(other Key) int {
	return cmp.Or(
		cmp.Compare(k.Kind, other.Kind),
		cmp.Compare(k.Name, other.Name),
		other.Version.Compare(k.Version),
		cmp.Compare(k.Version.String(), other.Version.String()),
		cmp.Compare(k.Platform, other.Platform),
	)
}

// Entry is an agreed binary.
type Entry struct {
	Key

	// Sum is the binary's SHA-256. Required.
	Sum sums.Sum `json:"sha256"`
	// Source is where it came from: a URL, a path. May be empty.
	Source string `json:"source,omitempty"`
}

// validate returns the fault of the entry.
func (e Entry) validate() error {
	if e.Name == "" {
		return errors.New("it has no name")
	}
	if e.Sum.IsZero() {
		return errors.New("it has no sha256")
	}
	for _, field := range []struct {
		name, value string
		limit       int
	}{{"kind", e.Kind, maxText}, {"name", e.Name, maxText}, {"platform", e.Platform, maxText}, {"source", e.Source, maxSource}} {
		if len(field.value) > field.limit {
			return fmt.Errorf("its %s is longer than %d bytes", field.name, field.limit)
		}
	}
	// The source may be any path.
	for _, word := range []string{e.Kind, e.Name, e.Platform} {
		if strings.ContainsFunc(word, text.Unprintable) {
			return fmt.Errorf("%q has unprintable characters", text.Clip(word, shownKey))
		}
	}
	return nil
}
