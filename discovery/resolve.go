package discovery

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/jackfield-go/jackfield/discovery/internal/text"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// Request is what a host wants.
type Request struct {
	// Kind and Name are the plugin's. Name is required.
	Kind, Name string
	// Version says which versions will do. The zero value: any release.
	Version semver.Constraint
	// Protocols are the application's protocol versions that the host speaks. A
	// plugin that says that it speaks none of them is passed over. Nil: any.
	Protocols []int
	// Transports are those that the host speaks under Protocols: "grpc",
	// "netrpc". Nil: any.
	Transports []string
}

func (r Request) String() string {
	text := lockfile.Key{Kind: r.Kind, Name: r.Name}.String()
	if !r.Version.IsZero() {
		text += " " + r.Version.String()
	}
	return text
}

// Resolver chooses among what was found. The zero value goes by names and
// versions alone, and runs nothing.
type Resolver struct {
	// Lock says what may be run, and with which sum. What is not in it is passed
	// over; a wrong sum is an error, whatever else there is. Overrides are not
	// checked. Nil: sums are not checked.
	Lock *lockfile.File
	// AllowUnlocked takes plugins that are not in Lock too.
	AllowUnlocked bool
	// Describer asks plugins what they are, after their sums were found right.
	// Nil: none is asked.
	Describer *Describer
	// Cache keeps sums and descriptions. Nil: each is found out anew.
	Cache *Cache
	// Logger takes a warning for each newer plugin, of a version that will do, in
	// the place of which an older one was taken. Nil: no log.
	Logger *slog.Logger
}

// Resolved is a plugin to launch.
type Resolved struct {
	Plugin

	// Sum is the SHA-256 that the lock file has for it. Zero: there is none. A
	// host should verify it as it launches, see [Verifier].
	Sum sums.Sum `json:"sha256,omitzero"`
	// Source is where the lock file says that it came from.
	Source string `json:"source,omitempty"`
	// Description is what it says about itself. Nil: it was not asked, or did not
	// say.
	Description *Description `json:"description,omitempty"`
	// NoDescription is why there is none, for one that was asked: a
	// *[DescribeError]. Such a plugin is not passed over: whether it is fit shows
	// when it is launched.
	NoDescription error `json:"-"`
}

// Verifier returns what verifies the plugin as a host launches it, as checksum
// makes it of an algorithm and a sum: core/host's Checksum.
//
//	config.Verify = discovery.Verifier(plugin, host.Checksum)
//
// A plugin without a sum has no verifier: the result is the zero V, which for
// core/host is a launch without verification. Such a plugin overrides others, or
// the [Resolver] has no lock file or allows unlocked plugins.
func Verifier[V any](plugin *Resolved, checksum func(hash crypto.Hash, sum []byte) V) V {
	if plugin.Sum.IsZero() {
		var none V
		return none
	}
	return checksum(plugin.Sum.Hash())
}

// Errors for which a plugin is passed over. They are in [Passed].
var (
	// ErrVersion: its version is not one that will do.
	ErrVersion = errors.New("its version is not asked for")
	// ErrVersionClaim: its file name and it itself say different versions.
	ErrVersionClaim = errors.New("it says that it is another version than its file name does")
	// ErrUnlocked: it is not in the lock file.
	ErrUnlocked = errors.New("it is not in the lock file")
	// ErrChanged: the file became another one while it was looked at.
	ErrChanged = errors.New("it was changed while it was looked at")
)

// Passed is a plugin that was passed over.
type Passed struct {
	Plugin

	// Err says why: wraps [ErrVersion], [ErrVersionClaim], [ErrUnlocked],
	// [ErrChanged] or a *[ProtocolError], or is what the system said about the file.
	Err error `json:"-"`
}

// NoneError says that nothing that was found is what was asked for.
type NoneError struct {
	// Request is what was asked for.
	Request Request
	// Passed are the plugins of that name, and why each will not do, the newest
	// first.
	Passed []Passed
	// Problems are the files of that name that cannot be run, and the directories
	// that were not searched.
	Problems []*Problem
}

func (e *NoneError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "no plugin %v was found that can be used", e.Request)
	if len(e.Passed)+len(e.Problems) == 0 {
		b.WriteString(": there is no file of that name")
	}
	for _, passed := range e.Passed {
		fmt.Fprintf(&b, "\n\t%s: %v", text.Printable(passed.Path), passed.Err)
	}
	for _, problem := range e.Problems {
		fmt.Fprintf(&b, "\n\t%v", problem)
	}
	return b.String()
}

// Resolve returns the newest plugin that is what the request asks for. Where an
// override names the plugin, it is that one or an error.
//
// Versions come from file names; of a file that does not say one, from the lock
// file, which knows it by its sum, or from its own description. One whose version
// stays unknown will do only where every version does.
//
// The error is a *[NoneError] if there is none, a *[sums.MismatchError] if a file
// is not what the lock file says, and a *[Problem] if an override cannot be used.
func (r *Resolver) Resolve(ctx context.Context, found *Found, request Request) (*Resolved, error) {
	none := &NoneError{Request: request}
	for _, problem := range found.Problems {
		if problem.unsearched() {
			none.Problems = append(none.Problems, problem)
			continue
		}
		if problem.Plugin.Kind != request.Kind || problem.Plugin.Name != request.Name {
			continue
		}
		if problem.Origin.overrides() && problem.Reason != ReasonShadowed {
			return nil, fmt.Errorf("plugin %v: an override cannot be used: %w", request, problem)
		}
		none.Problems = append(none.Problems, problem)
	}
	candidates, err := r.candidates(ctx, found, request, none)
	if err != nil {
		return nil, err
	}
	for _, c := range candidates {
		switch err := c.fit(ctx); {
		case err == nil:
			r.warn(ctx, &c.Resolved, none.Passed)
			return &c.Resolved, nil
		case c.fatal(ctx, err):
			return nil, err
		default:
			none.Passed = append(none.Passed, Passed{Plugin: c.Plugin, Err: err})
		}
	}
	return nil, none
}

// warn tells of plugins that were passed over, though nobody asked for another version.
func (r *Resolver) warn(ctx context.Context, taken *Resolved, passed []Passed) {
	if r.Logger == nil {
		return
	}
	for _, over := range passed {
		older := !over.Version.IsZero() && !taken.Version.IsZero() && over.Version.Compare(taken.Version) < 0
		if errors.Is(over.Err, ErrVersion) || older {
			continue
		}
		r.Logger.WarnContext(ctx, "a plugin was passed over for another one",
			"plugin", over.Name, "path", over.Path, "reason", over.Err, "taken", taken.Path)
	}
}
