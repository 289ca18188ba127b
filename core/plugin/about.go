package plugin

import (
	"cmp"
	"path"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/semver"
)

// libraryName is the library's name in a plugin's account of itself.
const libraryName = "jackfield"

// fields returns the fields from the seventh on: the transport's, all versions if none
// is in common, and the plugin's account of itself. A host that did not ask for the
// latter gets the transport's alone.
func (r *run) fields(common bool) []string {
	fields := r.server.Fields()
	if !common && r.asked.Asks(handshake.FieldVersions) {
		list := handshake.FormatVersions(r.cfg.Versions.Numbers())
		if extended, err := handshake.AppendExtension(fields, handshake.FieldVersions, list); err == nil {
			fields = extended
		}
	}
	if len(r.asked.Fields) == 0 {
		return fields
	}
	build, _ := debug.ReadBuildInfo()
	return r.cfg.about(build).Append(fields, r.asked)
}

// checkRequirement refuses a host that cannot apply the plugin's requirement: it did
// not ask for it, and does not say its version.
func (r *run) checkRequirement() error {
	required := r.cfg.requirement()
	if required == "" || r.asked.Asks(handshake.FieldRequiresHost) {
		return nil
	}
	return &core.RequirementError{Side: "plugin", Required: required}
}

// about returns the plugin's account of itself for its host (protocol §10); build is
// nil without build records.
func (c Config) about(build *debug.BuildInfo) handshake.About {
	return handshake.About{
		Version:      c.version(build),
		Build:        cmp.Or(c.Info.Build, buildText(build)),
		Library:      libraryText(build),
		Language:     runtime.Version(),
		RequiresHost: c.requirement(),
	}
}

// requirement returns RequireHost in one line.
func (c Config) requirement() string { return strings.Join(strings.Fields(c.RequireHost), " ") }

// version returns the plugin's semantic version without its v, or "".
func (c Config) version(build *debug.BuildInfo) string {
	own := semantic(c.Info.Version)
	if own == "" && build != nil {
		return released(build.Main.Version)
	}
	return own
}

// buildText returns the main module's version and the commit.
func buildText(info *debug.BuildInfo) string {
	if info == nil {
		return ""
	}
	const shortened = 12 // as in Go's versions of commits without a tag
	var parts []string
	if info.Main.Version != "(devel)" {
		parts = append(parts, info.Main.Version)
	}
	build := describeBuild(info)
	parts = append(parts, build.Revision[:min(len(build.Revision), shortened)])
	if build.Modified {
		parts = append(parts, "modified")
	}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

// libraryText returns the name of this library and the version of its module core, if
// the build recorded a released version.
func libraryText(info *debug.BuildInfo) string {
	if info == nil {
		return libraryName
	}
	module := path.Dir(reflect.TypeFor[Config]().PkgPath())
	for _, dependency := range info.Deps {
		if dependency.Path == module && dependency.Replace == nil && semantic(dependency.Version) != "" {
			return libraryName + " " + dependency.Version
		}
	}
	return libraryName
}

// released returns a module's version if it is a tagged version without build
// metadata: "+dirty" is a modified tag. For a commit without a tag, Go makes up
// a version that ends with the commit's time and ID.
func released(version string) string {
	_, tagged := strings.CutPrefix(version, "v")
	if !tagged || strings.Contains(version, "+") {
		return ""
	}
	rest, name, _ := cutLast(version, "-")
	_, time, _ := cutLast(rest, "-")
	if _, last, found := cutLast(time, "."); found {
		time = last
	}
	if len(name) == 12 && len(time) == 14 && strings.Trim(time, "0123456789") == "" {
		return ""
	}
	return semantic(version)
}

func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}

// semantic returns a version without its v, or "" if it is not a semantic version: a
// host would reject the whole description then.
func semantic(version string) string {
	parsed, _ := semver.Parse(version)
	return parsed.String()
}
