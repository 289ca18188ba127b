package discovery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackfield-go/jackfield/discovery/internal/text"
	"github.com/jackfield-go/jackfield/discovery/semver"
)

// describeVersion is the version of the form of descriptions, in the key
// "describe".
const describeVersion = 1

// Description is a plugin's answer about itself. Any text in it is the plugin's own
// claim; it has no control characters.
type Description struct {
	// Name is the plugin's. May be empty.
	Name string `json:"name,omitempty"`
	// Version is the plugin's. Zero: it does not say.
	Version semver.Version `json:"version,omitzero"`
	// Summary says in one line what the plugin does. May be empty.
	Summary string `json:"summary,omitempty"`
	// RequiresHost constrains the version of the plugin's host. The zero value: any.
	RequiresHost semver.Constraint `json:"requires_host,omitzero"`
	// AppVersions are the versions of the application's protocol that the plugin speaks.
	AppVersions []AppVersion `json:"protocols"`
	// Build says how it was built. Nil: it does not say.
	Build *Build `json:"build,omitempty"`
}

// AppVersion is one version of an application's protocol.
type AppVersion struct {
	// Version is its number.
	Version int `json:"version"`
	// Transports carry it, as in the handshake: "grpc", "netrpc". The plugin serves
	// the first.
	Transports []string `json:"transports,omitempty"`
	// Services are the names to dispense from the plugin. May be empty.
	Services []string `json:"services,omitempty"`
}

// Build says how a binary was built. Each text may be empty.
type Build struct {
	// Go is the version of Go.
	Go string `json:"go,omitempty"`
	// Path is the main package's, Module its module's, Version the module's.
	Path    string `json:"path,omitempty"`
	Module  string `json:"module,omitempty"`
	Version string `json:"version,omitempty"`
	// OS and Arch are the platform.
	OS   string `json:"os,omitempty"`
	Arch string `json:"arch,omitempty"`
	// Revision and Time are the commit's; Modified says that the source differed from
	// it.
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
}

// Speaks returns the numbers of the app versions, in ascending order.
func (d *Description) Speaks() []int {
	var numbers []int
	for _, version := range d.AppVersions {
		numbers = append(numbers, version.Version)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// ErrNoDescription is in the error for a plugin with another answer than a
// description: most often a plugin that does not know the question.
var ErrNoDescription = errors.New("the answer is no description")

// maxObjects is how many objects are searched for the description: each may be as
// long as the answer.
const maxObjects = 100

// parseDescription reads a plugin's answer. The description is the first JSON object
// with a "describe" at the beginning of a line; other output of the program, before
// and after, does not count, such as its log. line is the wrong line, from 1.
func parseDescription(data []byte) (d *Description, line int, err error) {
	wrong := func(offset int, err error) (*Description, int, error) {
		return nil, 1 + bytes.Count(data[:offset], []byte("\n")), fmt.Errorf("%w: %w", ErrNoDescription, err)
	}
	if !utf8.Valid(data) {
		return wrong(0, errors.New("it is not UTF-8"))
	}
	at, reason := 0, errNoObject
	begin := nextObject(data, 0)
	for count := 0; begin >= 0 && count < maxObjects; count++ {
		d, asked, offset, err := parseObject(data[begin:])
		if err == nil {
			return d, 0, nil
		}
		// The fault of the first broken object says more than another kind of object.
		if asked || count == 0 || errors.Is(reason, errNotAsked) {
			at, reason = begin+offset, err
		}
		if asked {
			break
		}
		begin = nextObject(data, begin+1)
	}
	return wrong(at, reason)
}

var (
	errNoObject = errors.New("no line begins with {")
	errNotAsked = errors.New(`it has no "describe"`)
)

// nextObject returns where the next line with a brace at its beginning is, from a
// place in a line on, or -1.
func nextObject(data []byte, from int) int {
	if from == 0 && bytes.HasPrefix(data, []byte("{")) {
		return 0
	}
	if at := bytes.Index(data[from:], []byte("\n{")); at >= 0 {
		return from + at + 1
	}
	return -1
}

// parseObject reads an object, and whatever follows it. asked tells whether it
// is an answer to the question, right or wrong; offset is where it is wrong.
func parseObject(data []byte) (d *Description, asked bool, offset int, err error) {
	var answer struct {
		Description

		Describe *int `json:"describe"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&answer); err != nil {
		offset := decoder.InputOffset()
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			offset = syntax.Offset
		case errors.As(err, &kind):
			offset = kind.Offset
		case errors.Is(err, io.ErrUnexpectedEOF):
			offset, err = int64(len(data)), errors.New("it breaks off")
		}
		return nil, answer.Describe != nil, int(min(max(offset, 0), int64(len(data)))), err
	}
	switch {
	case answer.Describe == nil:
		return nil, false, 0, errNotAsked
	case *answer.Describe != describeVersion:
		return nil, true, 0, fmt.Errorf(`it has "describe": %d, and this program reads %d`, *answer.Describe, describeVersion)
	}
	if err := answer.check(); err != nil {
		return nil, true, 0, err
	}
	return &answer.Description, true, 0, nil
}

// check refuses text that could do harm where it is shown.
func (d *Description) check() error {
	texts := []string{d.RequiresHost.String(), d.Name, d.Summary}
	for _, version := range d.AppVersions {
		if version.Version < 0 {
			return fmt.Errorf("app version %d is negative", version.Version)
		}
		texts = append(append(texts, version.Transports...), version.Services...)
	}
	if b := d.Build; b != nil {
		texts = append(texts, b.Go, b.Path, b.Module, b.Version, b.OS, b.Arch, b.Revision, b.Time)
	}
	for _, s := range texts {
		if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Errorf("%q has unprintable characters", text.Clip(s, shownText))
		}
	}
	return nil
}

// IncompatibleError says that a plugin and a host have no app version and transport in common.
type IncompatibleError struct {
	// Plugin is the version or the transport of the plugin, Host those of the host,
	// in words.
	Plugin, Host string
}

func (e *IncompatibleError) Error() string {
	return fmt.Sprintf("it has no app version and transport in common with the host: it speaks %s, the host %s", text.Line(e.Plugin, shownText), text.Line(e.Host, shownText))
}

// ErrHostVersion is the error of a plugin that requires another version of its host.
var ErrHostVersion = errors.New("it requires another version of its host")

// Admits compares the plugin's requirement with the version of a host: that of a
// [Request]. The zero version is not compared. An error wraps [ErrHostVersion].
func (d *Description) Admits(host semver.Version) error {
	if host.IsZero() || d.RequiresHost.Allows(host) {
		return nil
	}
	return fmt.Errorf("%w: %s, and the host has %v", ErrHostVersion, text.Line(d.RequiresHost.String(), shownText), host)
}

// Agree compares the plugin with a host's app versions and transports: those of
// a [Request]. Nil fits any plugin, and a plugin without app versions fits any host. An
// error is a *[IncompatibleError].
func (d *Description) Agree(versions []int, transports []string) error {
	if len(d.AppVersions) == 0 || versions == nil {
		return nil
	}
	// The two will agree on the highest common version, and the plugin serves its
	// first transport.
	var agreed *AppVersion
	for i, version := range d.AppVersions {
		if slices.Contains(versions, version.Version) && (agreed == nil || version.Version > agreed.Version) {
			agreed = &d.AppVersions[i]
		}
	}
	if agreed == nil {
		return &IncompatibleError{Plugin: fmt.Sprintf("version %v", d.Speaks()), Host: fmt.Sprint(versions)}
	}
	if served := agreed.Transports; transports != nil && len(served) > 0 && !slices.Contains(transports, served[0]) {
		return &IncompatibleError{
			Plugin: fmt.Sprintf("version %d over %s", agreed.Version, served[0]), Host: fmt.Sprintf("over %v", transports),
		}
	}
	return nil
}
