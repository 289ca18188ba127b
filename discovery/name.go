package discovery

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/jackfield-go/jackfield/discovery/internal/text"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/semver"
)

const (
	defaultKind = "plugin" // the only one, where Naming.Kinds names none
	maxName     = 128      // bytes of a plugin's name, a kind's, an application's
	maxFileName = 512
	exeSuffix   = ".exe"

	shownText = 200 // bytes of somebody else's text in an error
)

// Naming is the form of an application's plugin names. The file
//
//	<app>-<kind>-<name>[_v<version>][_<os>_<arch>][.exe]
//
// names its plugin: greet-plugin-loud, greet-plugin-loud_v1.4.0_linux_amd64. Names
// are letters, digits, dots and dashes; the underscore only separates. Names from
// other release tools are read too: a version without v, and after a version the
// API's of Packer's plugins (_v1.4.0_x5.0_linux_amd64), which does not count.
type Naming struct {
	// App is the application's name. Required, unless there is a Glob.
	App string
	// Kinds are the kinds of plugins there are, in names: "filter" for
	// greet-filter-loud. Nil: there is only "plugin".
	Kinds []string
	// Glob is the plain form: every file with a matching name (path.Match) is a
	// plugin, called like the file without .exe, of no kind, version or platform.
	// Empty: the names above.
	Glob string
}

// ID identifies the plugin of a file, by its name.
type ID struct {
	// Kind is the kind of plugin. Empty: "plugin", or with a Glob none.
	Kind string `json:"kind,omitempty"`
	// Name is the plugin's.
	Name string `json:"name"`
	// Version is the plugin's. Zero: the name does not say.
	Version semver.Version `json:"version,omitzero"`
	// Platform is the file's platform. Zero: the name does not say.
	Platform Platform `json:"platform,omitzero"`
	// Exe says that the file name ends with .exe.
	Exe bool `json:"-"`
}

// String returns the ID as a person reads it: "loud 1.4.0 linux_amd64".
func (id ID) String() string { return id.key(id.Platform).String() }

// key is the ID in a lock file.
func (id ID) key(platform Platform) lockfile.Key {
	return lockfile.Key{Kind: id.Kind, Name: id.Name, Version: id.Version, Platform: platform.String()}
}

// ErrNotPluginName says that a file's name does not begin as a plugin's does: it is
// something else.
var ErrNotPluginName = errors.New("not the name of a plugin")

// NameError says that a file's name begins as a plugin's does and goes on otherwise.
type NameError struct {
	// File is the name.
	File string
	// Reason is the fault of the name.
	Reason string
	// Err is the error about a part of it; may be nil.
	Err error
}

func (e *NameError) Error() string {
	return fmt.Sprintf("the file name %q: %s", text.Clip(e.File, shownText), e.Reason)
}

// Unwrap returns the error about a part of the name.
func (e *NameError) Unwrap() error { return e.Err }

// String returns the pattern of the names, as a person reads it:
// "greet-plugin-<name>[_v<version>][_<os>_<arch>]".
func (n Naming) String() string {
	if n.Glob != "" {
		return n.Glob
	}
	var patterns []string
	for _, kind := range n.kinds() {
		patterns = append(patterns, n.prefix(kind)+"<name>[_v<version>][_<os>_<arch>]")
	}
	return strings.Join(patterns, " or ")
}

func (n Naming) validate() error {
	if n.Glob != "" {
		if _, err := path.Match(n.Glob, ""); err != nil {
			return fmt.Errorf("the naming's Glob %q: %w", n.Glob, err)
		}
		// A class may exclude the slash.
		if before, _, _ := strings.Cut(n.Glob, "["); strings.Contains(before, "/") {
			return fmt.Errorf("the naming's Glob %q has a slash: it is for the names of files, and their directory is a Dir", n.Glob)
		}
		return nil
	}
	if n.App == "" {
		return errors.New("the naming has neither an App nor a Glob")
	}
	for _, word := range append([]string{n.App}, n.Kinds...) {
		if reason := checkWord(word); reason != "" {
			return fmt.Errorf("the naming's App or Kind %q: %s", word, reason)
		}
	}
	return nil
}

// kinds are the known kinds, "" for the default one.
func (n Naming) kinds() []string {
	if len(n.Kinds) == 0 {
		return []string{""}
	}
	return n.Kinds
}

func (n Naming) prefix(kind string) string { return n.App + "-" + cmp.Or(kind, defaultKind) + "-" }

// Parse takes the name of a file apart. The error for a file without any relation to
// plugins is [ErrNotPluginName], otherwise a *[NameError]: also for a file beside a
// plugin, such as its sum or its archive.
func (n Naming) Parse(file string) (ID, error) {
	id, err := n.compile().parse(file)
	switch {
	case err != nil:
		return ID{}, err
	case sideFile(file):
		return ID{}, &NameError{File: file, Reason: "it names a file beside a plugin: a sum, an archive, a remark"}
	}
	return id, nil
}

// checkWord returns the fault of a text as a name, or nothing.
func checkWord(word string) string {
	if word == "" || len(word) > maxName {
		return fmt.Sprintf("must have 1 to %d bytes", maxName)
	}
	if !alphanumeric(word[0]) {
		return "must begin with a letter or a digit"
	}
	for i := range len(word) {
		if c := word[i]; !alphanumeric(c) && c != '-' && c != '.' {
			return "must be letters, digits, dots and dashes"
		}
	}
	return ""
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// Format returns the file name for a plugin: Parse reads it as the same. An error is
// a *[NameError].
func (n Naming) Format(id ID) (string, error) {
	if err := n.validate(); err != nil {
		return "", err
	}
	var b strings.Builder
	if n.Glob == "" {
		b.WriteString(n.prefix(id.Kind))
	}
	b.WriteString(id.Name)
	if !id.Version.IsZero() {
		b.WriteString("_v" + id.Version.String())
	}
	if !id.Platform.IsZero() {
		b.WriteString("_" + id.Platform.String())
	}
	if id.Exe {
		b.WriteString(exeSuffix)
	}
	file := b.String()
	if n.Glob == "" && !slices.Contains(n.kinds(), id.Kind) {
		return "", &NameError{File: file, Reason: fmt.Sprintf("the kind %q is none of this application's", id.Kind)}
	}
	switch parsed, err := n.Parse(file); {
	case err != nil && !errors.Is(err, ErrNotPluginName):
		return "", err
	case err != nil || parsed != id || strings.ContainsAny(file, "/\\\x00"):
		return "", &NameError{File: file, Reason: "it would be read as another plugin's"}
	}
	return file, nil
}

// Platform is a binary's platform, in Go's words: "linux" and "amd64". The zero value
// says nothing.
type Platform struct {
	OS, Arch string
}

// ThisPlatform returns this program's platform.
func ThisPlatform() Platform { return Platform{OS: runtime.GOOS, Arch: runtime.GOARCH} }

// IsZero reports whether it says nothing.
func (p Platform) IsZero() bool { return p == Platform{} }

// String returns "linux_amd64", or "" for the zero value.
func (p Platform) String() string {
	if p.IsZero() {
		return ""
	}
	return p.OS + "_" + p.Arch
}

// ParsePlatform reads a text of String. It takes any two words of lower case letters
// and digits, since this program does not know all platforms.
func ParsePlatform(text string) (Platform, bool) {
	os, arch, found := strings.Cut(text, "_")
	if !found || !platformWord(os) || !platformWord(arch) {
		return Platform{}, false
	}
	return Platform{OS: os, Arch: arch}, true
}

// MarshalText returns String.
func (p Platform) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

func platformWord(s string) bool {
	for i := range len(s) {
		if (s[i] < 'a' || s[i] > 'z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != ""
}

// exe reports whether programs' names end with .exe there.
func (p Platform) exe() bool { return p.OS == windows }

// modes reports whether the bits of a file's mode decide about access.
func (p Platform) modes() bool { return p.OS != windows && p.OS != "plan9" }

const windows, darwin = "windows", "darwin"
