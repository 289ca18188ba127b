package discovery

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/jackfield-go/jackfield/discovery/internal/text"
)

// Reason is why a file or directory is not among the plugins.
type Reason string

// The reasons.
const (
	// ReasonName: the name begins as a plugin's does and does not parse; Err is a
	// *[NameError].
	ReasonName Reason = "name"
	// ReasonForeign: it was built for another platform.
	ReasonForeign Reason = "foreign"
	// ReasonNotExecutable: nobody may execute it, or it has no .exe where
	// programs have one.
	ReasonNotExecutable Reason = "not-executable"
	// ReasonNotRegular: it is a directory, a socket, a device.
	ReasonNotRegular Reason = "not-regular"
	// ReasonDangling: it is a symbolic link to nothing.
	ReasonDangling Reason = "dangling"
	// ReasonLoop: it is a symbolic link that leads back to itself.
	ReasonLoop Reason = "loop"
	// ReasonUnreadable: the system does not let it be read; Err says why.
	ReasonUnreadable Reason = "unreadable"
	// ReasonWritable: everybody may change the file or its directory, so its content
	// is not sure.
	ReasonWritable Reason = "world-writable"
	// ReasonDuplicate: another file in the same directory is the same plugin.
	ReasonDuplicate Reason = "duplicate"
	// ReasonShadowed: a file in an earlier place is the same plugin.
	ReasonShadowed Reason = "shadowed"
	// ReasonCollision: its name differs from another plugin's in capitals only,
	// so they are one file on some systems.
	ReasonCollision Reason = "collision"
	// ReasonRelative: the directory is not absolute, so it would depend on where
	// the program happens to be run.
	ReasonRelative Reason = "relative"
	// ReasonMissing: it was asked for and is not there.
	ReasonMissing Reason = "missing"
	// ReasonNotDirectory: it should be a directory.
	ReasonNotDirectory Reason = "not-directory"
	// ReasonRepeated: the directory has been searched already, under this name or
	// another.
	ReasonRepeated Reason = "repeated"
)

var reasonTexts = map[Reason]string{
	ReasonName:          "its name is none of a plugin's",
	ReasonForeign:       "it was built for another platform",
	ReasonNotExecutable: "this system cannot execute it (chmod +x makes it executable; on Windows it needs .exe)",
	ReasonNotRegular:    "it is no regular file",
	ReasonDangling:      "it is a symbolic link to nothing",
	ReasonLoop:          "it is a symbolic link back to itself",
	ReasonUnreadable:    "it cannot be read",
	ReasonWritable:      "everybody may change it or its directory (chmod o-w)",
	ReasonDuplicate:     "another file in the directory is the same plugin",
	ReasonShadowed:      "a file in an earlier place is the same plugin",
	ReasonCollision:     "its name differs from another plugin's in capitals only",
	ReasonRelative:      "it is a relative path: it would depend on the current directory",
	ReasonMissing:       "it does not exist",
	ReasonNotDirectory:  "it is no directory",
	ReasonRepeated:      "it has been searched already",
}

// Problem is a file or a directory out of use. It is an error for callers that return
// it.
//
//nolint:errname // it is a part of a result first
type Problem struct {
	// Path is the file or the directory.
	Path string `json:"path"`
	// Origin is where it was looked for.
	Origin Origin `json:"origin"`
	// Reason says why it is not used.
	Reason Reason `json:"reason"`
	// Plugin is the plugin by the file's name, as far as it says. Zero for a
	// directory.
	Plugin ID `json:"plugin,omitzero"`
	// By is the file or directory used instead, or the one on which Reason depends.
	// May be empty.
	By string `json:"by,omitempty"`
	// Err says more. May be nil.
	Err error `json:"-"`

	from *Dir // the directory of a file; nil for an override
}

func (p *Problem) Error() string {
	var b strings.Builder
	reason, known := reasonTexts[p.Reason]
	if !known {
		reason = string(p.Reason)
	}
	if p.Path == "" {
		reason = "it names no file or directory, as an unset flag does"
	}
	fmt.Fprintf(&b, "%s: %s", cmp.Or(p.Path, "an empty path"), reason)
	if p.By != "" {
		fmt.Fprintf(&b, " (%s)", p.By)
	}
	var name *NameError
	switch {
	case errors.As(p.Err, &name):
		b.WriteString(": " + name.Reason) // the path has the name
	case p.Err != nil:
		fmt.Fprintf(&b, ": %v", p.Err)
	}
	return text.Printable(b.String())
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// hides reports whether the file could run, but for another file in its place.
func (p *Problem) hides() bool {
	return p.Reason == ReasonCollision || p.Reason == ReasonShadowed || p.Reason == ReasonDuplicate
}

// unsearched reports whether the problem is a directory with perhaps more plugins.
func (p *Problem) unsearched() bool {
	return p.Plugin == ID{} && p.Reason != ReasonRepeated && p.Reason != ReasonName
}
