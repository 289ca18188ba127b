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

// Request is a host's request.
type Request struct {
	// Kind and Name are the plugin's. Name is required.
	Kind, Name string
	// Version constrains the version. The zero value: any release.
	Version semver.Constraint
	// AppVersions are the host's versions of the application's protocol. A plugin with
	// app versions, but none of these, is passed over. Nil: any.
	AppVersions []int
	// Transports are the host's under AppVersions: "grpc", "netrpc". Nil: any.
	Transports []string
	// HostVersion is the host's own version. A plugin that requires another is passed
	// over. Zero: requirements are left to the launch.
	HostVersion semver.Version
}

func (r Request) String() string {
	text := lockfile.Key{Kind: r.Kind, Name: r.Name}.String()
	if !r.Version.IsZero() {
		text += " " + r.Version.String()
	}
	return text
}

// Resolver chooses among the findings of a search. The zero value goes by names and
// versions alone, and runs nothing.
type Resolver struct {
	// Lock lists the plugins that may run, with their sums. Other plugins are passed
	// over, and hide none of the list; a wrong sum is an error, whatever else there
	// is. Overrides are not checked. Nil: sums are not checked.
	Lock *lockfile.File
	// AllowUnlocked takes plugins outside Lock too.
	AllowUnlocked bool
	// Describer asks plugins for their descriptions, after their sums were found
	// right. Nil: none is asked.
	Describer *Describer
	// Cache keeps sums and descriptions. Nil: each is found out anew.
	Cache *Cache
	// Logger takes a warning for each newer plugin or file of a fit version that was
	// passed over for an older one, and for a file in the way of a locked plugin.
	// Nil: [slog.Default]; a logger of [slog.DiscardHandler] is silent.
	Logger *slog.Logger
}

// Resolved is a plugin to launch.
type Resolved struct {
	Plugin

	// Sum is its SHA-256 in the lock file. Zero: there is none. A host should verify
	// it as it launches, see [Verifier].
	Sum sums.Sum `json:"sha256,omitzero"`
	// Source is its source in the lock file.
	Source string `json:"source,omitempty"`
	// Description is its description. Nil: it was not asked, or did not say.
	Description *Description `json:"description,omitempty"`
	// NoDescription is why an asked plugin has none: a *[DescribeError]. Such a
	// plugin is not passed over: a launch shows whether it is fit.
	NoDescription error `json:"-"`
}

// Verifier returns a verifier of the plugin for a host's launch. checksum makes it of
// an algorithm and a sum: core/verify's Checksum.
//
//	config.Verify.Verifier = discovery.Verifier(plugin, verify.Checksum)
//
// A plugin without a sum has no verifier: the result is the zero V, for core/host a
// launch without verification. Such a plugin overrides others, or the [Resolver] has
// no lock file or allows unlocked plugins.
func Verifier[V any](plugin *Resolved, checksum func(hash crypto.Hash, sum []byte) V) V {
	if plugin.Sum.IsZero() {
		var none V
		return none
	}
	return checksum(plugin.Sum.Hash())
}

// These errors pass a plugin over. They are in [Rejected].
var (
	// ErrVersion: its version does not fit.
	ErrVersion = errors.New("its version is not asked for")
	// ErrVersionClaim: its file name and it itself say different versions.
	ErrVersionClaim = errors.New("it describes another version than its file name")
	// ErrUnlocked: it is not in the lock file.
	ErrUnlocked = errors.New("it is not in the lock file")
	// ErrChanged: the file became another one while it was looked at.
	ErrChanged = errors.New("it was changed while it was looked at")
)

// Rejected is a plugin that does not fit the request.
type Rejected struct {
	Plugin

	// Err is the reason: wraps [ErrVersion], [ErrVersionClaim], [ErrUnlocked],
	// [ErrChanged], [ErrHostVersion] or a *[IncompatibleError], or is the system's error about the file.
	Err error `json:"-"`
}

// Resolve returns the newest plugin for the request. Where an override names the
// plugin, it is that one or an error.
//
// Versions come from file names; without one there, from the lock file, by the file's
// sum, or from the plugin's own description. A plugin of unknown version fits only a
// request for every version.
//
// The error is a *[NoneError] if there is none, a *[sums.MismatchError] if a file
// contradicts the lock file, and a *[Problem] if an override cannot be used.
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
		if problem.from == nil && problem.Origin.overrides() && problem.Reason != ReasonShadowed {
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

// warn logs the passed plugins, though nobody asked for another version.
func (r *Resolver) warn(ctx context.Context, taken *candidate, none *NoneError) {
	logger := r.Logger
	if logger == nil {
		logger = slog.Default()
	}
	tell := func(id ID, path string, reason error) {
		logger.WarnContext(ctx, "a plugin was passed over for another one", "plugin", id.Name, "version", id.Version.String(),
			"path", path, "reason", reason, "taken", taken.Path, "taken_version", taken.Version.String())
	}
	for _, over := range none.Rejected {
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
		logger.WarnContext(ctx, "a file stands in the way of a locked plugin: remove it, or give it another name",
			"plugin", taken.Name, "version", taken.Version.String(), "path", taken.Path, "file", taken.hiddenBy)
	}
}
