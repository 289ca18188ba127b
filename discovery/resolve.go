package discovery

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"

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
	// over, and hides nothing that is; a wrong sum is an error, whatever else there is. Overrides are not
	// checked. Nil: sums are not checked.
	Lock *lockfile.File
	// AllowUnlocked takes plugins that are not in Lock too.
	AllowUnlocked bool
	// Describer asks plugins what they are, after their sums were found right.
	// Nil: none is asked.
	Describer *Describer
	// Cache keeps sums and descriptions. Nil: each is found out anew.
	Cache *Cache
	// Logger takes a warning for each newer plugin or file, of a version that will do,
	// in the place of which an older one was taken, and for a file that stands in the
	// way of a locked plugin. Nil: no log.
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
// makes it of an algorithm and a sum: core/verify's Checksum.
//
//	config.Verify.Verifier = discovery.Verifier(plugin, verify.Checksum)
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
	none := &NoneError{Request: request, Nearest: nearest(found, request)}
	for _, dir := range found.dirs {
		none.Dirs = append(none.Dirs, dir.Path)
	}
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
			r.warn(ctx, c, none)
			return &c.Resolved, nil
		case c.fatal(ctx, err):
			return nil, err
		default:
			none.pass(c, err)
		}
	}
	return nil, none
}

// warn tells of what was passed over, though nobody asked for another version.
func (r *Resolver) warn(ctx context.Context, taken *candidate, none *NoneError) {
	if r.Logger == nil {
		return
	}
	tell := func(id ID, path string, reason error) {
		r.Logger.WarnContext(ctx, "a plugin was passed over for another one", "plugin", id.Name, "version", id.Version.String(),
			"path", path, "reason", reason, "taken", taken.Path, "taken_version", taken.Version.String())
	}
	for _, over := range none.Passed {
		older := !over.Version.IsZero() && !taken.Version.IsZero() && over.Version.Compare(taken.Version) < 0
		if !errors.Is(over.Err, ErrVersion) && !older {
			tell(over.ID, over.Path, over.Err)
		}
	}
	for _, problem := range none.Problems {
		newer := problem.Plugin.Version
		if problem.hides() || problem.Reason == ReasonForeign || newer.IsZero() || newer.Compare(taken.Version) <= 0 {
			continue
		}
		if none.Request.Version.Allows(newer) {
			tell(problem.Plugin, problem.Path, problem)
		}
	}
	if taken.hiddenBy != "" {
		r.Logger.WarnContext(ctx, "a file stands in the way of a locked plugin: remove it, or give it another name",
			"plugin", taken.Name, "version", taken.Version.String(), "path", taken.Path, "file", taken.hiddenBy)
	}
}
